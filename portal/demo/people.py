"""Who the demo's company is, and to whom it sells. The same on every day that it is made."""

from __future__ import annotations

from typing import Any

ACCOUNT = {
    "company": {
        "name": "Halyard Cloud, Inc.",
        "address": {
            "line1": "28 Wharf Street",
            "line2": "Suite 400",
            "city": "Portland",
            "state": "ME",
            "postal_code": "04101",
            "country": "US",
        },
        "tax_id": {"country": "US", "type": "us_ein", "value": "01-2345678"},
    },
    "support_email": "billing@halyard.example",
    "accent_color": "#0f5e63",
    "timezone": "America/New_York",
    "memo": "Thank you for building on Halyard.\nPlease quote the invoice number with your payment.",
    "footer": "Halyard Cloud, Inc. · Portland, Maine · billing@halyard.example",
    "embed_origins": ["http://localhost:*", "http://127.0.0.1:*"],
    "reminders": [-3, 7, 21],
    "payment_methods": ["card", "us_bank_account", "sepa_debit", "bank_transfer"],
    "payment_method_limits": {"card": {"maximum": "10000"}},
    "save_payment_method": "optional",
    "partial_payments": {"allowed": True, "minimum": "100"},
    "bank_accounts": [
        {
            "currency": "USD",
            "holder": "Halyard Cloud, Inc.",
            "account_number": "000123456789",
            "routing_number": "021000021",
        },
        {
            "currency": "EUR",
            "holder": "Halyard Cloud Europe B.V.",
            "iban": "NL91ABNA0417164300",
            "bic": "ABNANL2A",
        },
        {"currency": "JPY", "holder": "Halyard Cloud KK", "account_number": "1234567", "routing_number": "0001001"},
        {"currency": "KWD", "holder": "Halyard Cloud W.L.L.", "iban": "KW81CBKU0000000000001234560101"},
    ],
}

HARBOR: dict[str, Any] = {
    "name": "The Honorable Company of Waterfront Logistics, Freight Forwarding and Customs Brokerage of Greater "
    "San Francisco and the Sacramento–San Joaquin River Delta, LLC",
    "email": "accounts-payable@waterfront.example",
    "additional_emails": ["controller@waterfront.example"],
    "external_customer_id": "crm/1001",
    "currency": "USD",
    "timezone": "America/Los_Angeles",
    "locale": "en-US",
    "billing_address": {
        "line1": "Pier 39, The Embarcadero",
        "city": "San Francisco",
        "state": "CA",
        "postal_code": "94133",
        "country": "US",
    },
    "tax_id": {"country": "US", "type": "us_ein", "value": "94-7654321"},
}
SAKURA: dict[str, Any] = {
    "name": "株式会社桜井電子製作所",
    "email": "keiri@sakurai.example",
    "external_customer_id": "crm/1002",
    "currency": "JPY",
    "timezone": "Asia/Tokyo",
    "locale": "ja-JP",
    "billing_address": {
        "line1": "神田淡路町2丁目101番地",
        "line2": "ワテラスタワー 12階",
        "city": "千代田区",
        "state": "東京都",
        "postal_code": "101-0063",
        "country": "JP",
    },
    "tax_id": {"country": "JP", "type": "jp_cn", "value": "1234567891234"},
    "payment_methods": ["bank_transfer"],  # the card's limit has no currency, and 10,000 yen are little
}
KHALIJ: dict[str, Any] = {
    "name": "شركة الخليج للتجارة والمقاولات العامة ذ.م.م",
    "email": "finance@khalij.example",
    "external_customer_id": "crm/1003",
    "currency": "KWD",
    "timezone": "Asia/Kuwait",
    "locale": "ar-KW",
    "billing_address": {"line1": "شارع فهد السالم، برج الحمراء", "city": "مدينة الكويت", "country": "KW"},
}
NORDWIND: dict[str, Any] = {
    "name": "Nordwind Hafenlogistik GmbH & Co. KG",
    "email": "buchhaltung@nordwind.example",
    "external_customer_id": "crm/1004",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de-DE",
    "billing_address": {
        "line1": "Am Sandtorkai 50",
        "city": "Hamburg",
        "postal_code": "20457",
        "country": "DE",
    },
    "tax_id": {"country": "DE", "type": "eu_vat", "value": "DE136695976"},
}
