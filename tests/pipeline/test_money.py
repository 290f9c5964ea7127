"""Money: exact both ways, and refused where it would be guessed."""

from decimal import Decimal

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as some

from pipeline.money import OTHER_EXPONENTS, amount_minor, json_number, minor_units


@given(some.integers(-(10**30), 10**30))
def test_minor_units_survive_the_way_into_json_and_back(minor: int) -> None:
    """Also far beyond what a float can hold."""
    text = simplejson.dumps(json_number(minor, "USD"), use_decimal=True)
    assert minor_units(simplejson.loads(text, use_decimal=True), "USD") == minor


def test_three_thousand_odd_rates_are_spelt_with_their_cents() -> None:
    """Two decimals, always."""
    for minor in range(1, 6001, 2):
        expected = f"{minor // 100}.{minor % 100:02}"
        assert str(json_number(minor, "EUR")) == expected


@pytest.mark.parametrize(
    ("number", "minor"),
    [("12.5", 1250), ("0", 0), ("1E+2", 10_000), ("-0.01", -1), ("12.500", 1250)],
)
def test_a_number_of_currency_units_becomes_minor_units(number: str, minor: int) -> None:
    """However the number is spelt."""
    assert minor_units(Decimal(number), "USD") == minor


@pytest.mark.parametrize("number", ["12.345", "0.001", "1." + "0" * 40 + "1"])
def test_parts_of_a_minor_unit_are_refused(number: str) -> None:
    """Also where they lie beyond the precision of decimal arithmetic."""
    assert minor_units(Decimal(number), "USD") is None


@pytest.mark.parametrize("currency", ["JPY", "KWD", "CLF"])
def test_a_currency_without_two_decimals_is_refused_both_ways(currency: str) -> None:
    """What Clockify counts in is not confirmed for these."""
    assert currency in OTHER_EXPONENTS
    assert minor_units(Decimal(1), currency) is None
    with pytest.raises(ValueError, match=f"{currency} does not have two decimals"):
        json_number(1, currency)


@pytest.mark.parametrize(
    ("minutes", "rate", "amount"),
    [
        (60, "95", 9500),
        (67, "33.33", 3722),
        (1, "0.30", 1),
        (1, "0.29", 0),
        (71, "33.335", 3945),
        (0, "95", 0),
        (1435, "99999999999.99", 239166666666643),
    ],
)
def test_an_amount_is_rounded_half_up_once(minutes: int, rate: str, amount: int) -> None:
    """Also of a rate that has parts of a cent."""
    assert amount_minor(minutes, Decimal(rate)) == amount
