"""Each country writes an address in its own order; what was given is never lost, and what was not leaves no trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.documents.address import written

NAMES = ("line1", "line2", "city", "state", "postal_code")


def address(country: str | None, *values: str | None) -> dict[str, str | None]:
    return dict(zip(NAMES, values, strict=False)) | {"country": country}


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (address("US", "28 Wharf St", "Suite 4", "Portland", "ME", "04101"), "28 Wharf St|Suite 4|Portland, ME 04101"),
        (address("US", "28 Wharf St", None, None, "ME", "04101"), "28 Wharf St|ME 04101"),
        (address("US", "28 Wharf St", None, "Portland", None, "04101"), "28 Wharf St|Portland 04101"),
        (address("CA", "1 Rue Un", None, "Québec", "QC", "G1A 1A1"), "1 Rue Un|Québec QC G1A 1A1"),
        (address("DE", "Hauptstr. 5", None, "Berlin", None, "10115"), "Hauptstr. 5|10115 Berlin"),
        (address("CH", "Bahnhofstr. 1", None, "Zürich", None, "8001"), "Bahnhofstr. 1|CH-8001 Zürich"),
        (address("CH", "Bahnhofstr. 1", None, "Zürich", None, "CH-8001"), "Bahnhofstr. 1|CH-8001 Zürich"),
        (address("GB", "1 High St", None, "Bath", "Avon", "BA1 1AA"), "1 High St|Bath|Avon|BA1 1AA"),
        (address("HU", "Fő u. 1", None, "Budapest", None, "1011"), "Budapest|Fő u. 1|1011"),
        (address("BR", "Rua A 1", None, "Santos", "SP", "11010-000"), "Rua A 1|Santos-SP|11010-000"),
        (address("SG", "1 Raffles Quay", None, "Singapore", None, "048583"), "1 Raffles Quay|SINGAPORE 048583"),
        (address("JP", "神田2丁目", "12階", "千代田区", "東京", "101-0063"), "〒101-0063|東京|千代田区|神田2丁目|12階"),
        (address("JP", "2 Kanda", None, "Chiyoda-ku", "Tokyo", "101-0063"), "2 Kanda|Chiyoda-ku|Tokyo|101-0063"),
        (address("KW", "شارع فهد السالم", None, "مدينة الكويت"), "شارع فهد السالم|مدينة الكويت"),
        (address(None, "1 Road", None, "Town", "Shire", "123"), "1 Road|123 Town|Shire"),
        (address("nowhere", "1 Road", None, "Town"), "1 Road|Town"),
        (address("US"), ""),
    ],
)  # fmt: skip
def test_an_address_is_written_as_its_country_does(given: dict[str, str | None], lines: str) -> None:
    assert "|".join(written(given)) == lines


WORD = st.text("abcXYZ äé", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.sampled_from(["US", "DE", "JP", "CN", "IN", "CI", "KR", "SA", "GI", None]), st.tuples(*[WORD | st.none()] * 5)
)
def test_whatever_was_given_is_there_once(country: str | None, values: tuple[str | None, ...]) -> None:
    numbered = [f"{value}{n}" if value else None for n, value in enumerate(values)]

    text = "\n".join(written(address(country, *numbered)))

    assert all(text.count(value) == 1 for value in numbered if value)
