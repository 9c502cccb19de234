"""Which currencies Stripe charges, in which units, and how little of each.

Source: Stripe's page "Supported currencies" (docs.stripe.com/currencies), read in 2026. Its units are not always those
of ISO 4217, by which everything else here counts.
"""

from __future__ import annotations

from portal.gateways import Refused

# Whole units by ISO 4217, but Stripe still counts hundredths, which have to be 00.
_TIMES_HUNDRED = {"ISK"}
# Hundredths by ISO 4217, but Stripe counts whole units.
_PER_HUNDRED = {"MGA"}
# Thousandths, of which Stripe takes tens only.
_TENS = {"BHD", "JOD", "KWD", "OMR", "TND"}
_STEPS = {**dict.fromkeys(_PER_HUNDRED, 100), **dict.fromkeys(_TENS, 10)}

# Not UGX: the page has it among the currencies of whole units, and says elsewhere that it is one of hundredths.
# Whichever we believed, the other would be a hundred times too much or too little.
_CHARGED_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
    CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY
    KES KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO
    NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND
    TOP TRY TTD TWD TZS UAH USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW
"""
_CHARGED = frozenset(_CHARGED_CODES.split())
_OF_DEBITS = {"us_bank_account": "USD", "sepa_debit": "EUR"}

# In minor units of ISO 4217. Where Stripe converts, the minimum of the currency it pays out counts too: that it says
# itself, when it refuses.
_FIFTY = "ARS AUD BRL CAD CHF COP EUR IDR ILS INR JPY KRW NZD PHP RUB SGD USD ZAR"
_MINIMUM = {
    "AED": 200,
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "THB": 1000,
    **dict.fromkeys(_FIFTY.split(), 50),
}


def serves(method: str, currency: str) -> bool:
    return currency in _CHARGED if method == "card" else _OF_DEBITS.get(method) == currency


def minimum(currency: str) -> int:
    """In minor units of ISO 4217; one step where Stripe names no minimum."""
    return _MINIMUM.get(currency, _STEPS.get(currency, 1))


def nearest(amount: int, currency: str) -> int:
    """`amount` in Stripe's units, with what Stripe cannot take left out: to show, never to charge."""
    return to_stripe(amount - amount % _STEPS.get(currency, 1), currency)


def to_stripe(amount: int, currency: str) -> int:
    """`amount` in Stripe's units. Raises Refused where Stripe cannot take it."""
    if currency not in _CHARGED:
        raise Refused(f"Stripe does not charge {currency}.", "not_supported")
    if amount % _STEPS.get(currency, 1):
        raise Refused(f"Stripe charges {currency} in steps of {_STEPS[currency]} minor units.", "not_supported")
    if currency in _TIMES_HUNDRED:
        return amount * 100
    return amount // 100 if currency in _PER_HUNDRED else amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe's units as minor units of ISO 4217. Raises ValueError for a part of one."""
    if currency in _PER_HUNDRED:
        return amount * 100
    if currency not in _TIMES_HUNDRED:
        return amount
    whole, rest = divmod(amount, 100)
    if rest:
        raise ValueError(f"{amount} is no whole number of {currency}")
    return whole
