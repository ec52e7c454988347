"""Public holidays as policies keep them: lists made once, so that newer ones move no deadline that was set."""

import re
from collections.abc import Iterable
from functools import lru_cache

COUNTRIES = "AT,BE,CH,CZ,DE,DK,ES,FR,GB,ID,IT,LU,MD,NL,PL,PT,RO,SE,US"
"""Countries (ISO 3166 alpha-2) whose holidays the first policy of an installation knows, unless it is told others."""

YEARS_AHEAD = 6
"""How many years a list covers; a later policy brings newer ones."""


@lru_cache(maxsize=64)
def listed(country: str, first_year: int, years: int) -> str:
    """The days on which a whole country (ISO 3166 alpha-2) rests: ISO dates separated by spaces, in their order.

    Raises ValueError for a country that nobody knows.
    """
    import holidays  # takes a tenth of a second, and only a fresh installation needs it

    try:
        days = holidays.country_holidays(country, years=range(first_year, first_year + years))
    except RuntimeError:  # so the package says that it does not know the country
        raise ValueError(f"no public holidays are known for {country!r}") from None
    return " ".join(sorted(day.isoformat() for day in days))


def calendars(countries: Iterable[str], first_year: int, years: int) -> dict[str, str]:
    """The lists of several countries. Raises ValueError."""
    return {country: listed(country, first_year, years) for country in countries}


def country_list(text: str) -> str:
    """Countries separated by commas, tidied up. Raises ValueError for what is none, or has no known holidays."""
    countries = [country.strip().upper() for country in text.split(",") if country.strip()]
    if wrong := [country for country in countries if not re.fullmatch("[A-Z]{2}", country)]:
        raise ValueError(f"must be two-letter codes separated by commas, such as DE,FR; {wrong[0][:10]!r} is none")
    tidy = ",".join(dict.fromkeys(countries))
    if tidy != COUNTRIES:
        calendars(countries, 2026, 1)
    return tidy
