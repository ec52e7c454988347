"""Countries by the names that people write, as ISO 3166-1 alpha-2 codes."""

from __future__ import annotations

import difflib
import re

from cli.imports.cells import BadCell, Cells, plain

_NAMES = """
AE United Arab Emirates|AR Argentina|AT Austria|AT Österreich|AU Australia|BA Bosnia and Herzegovina|BE Belgium
BG Bulgaria|BR Brazil|BY Belarus|CA Canada|CH Switzerland|CH Schweiz|CL Chile|CN China|CO Colombia|CY Cyprus
CZ Czechia|CZ Czech Republic|DE Germany|DE Deutschland|DK Denmark|DZ Algeria|EE Estonia|EG Egypt|ES Spain|ES España
FI Finland|FR France|GB United Kingdom|GB Great Britain|GB England|GE Georgia|GR Greece|HK Hong Kong|HR Croatia
HU Hungary|ID Indonesia|IE Ireland|IL Israel|IN India|IQ Iraq|IR Iran|IS Iceland|IT Italy|IT Italia|JO Jordan|JP Japan
KE Kenya|KR Korea|KR South Korea|KW Kuwait|KZ Kazakhstan|LB Lebanon|LK Sri Lanka|LT Lithuania|LU Luxembourg|LV Latvia
MA Morocco|MD Moldova|ME Montenegro|MK North Macedonia|MT Malta|MX Mexico|MY Malaysia|NG Nigeria|NL Netherlands
NL Holland|NO Norway|NZ New Zealand|OM Oman|PA Panama|PE Peru|PH Philippines|PK Pakistan|PL Poland|PL Polska|PT Portugal
QA Qatar|RO Romania|RO România|RS Serbia|RU Russia|RU Russian Federation|SA Saudi Arabia|SE Sweden|SG Singapore
SI Slovenia|SK Slovakia|TH Thailand|TN Tunisia|TR Turkey|TR Türkiye|TW Taiwan|UA Ukraine|US United States|US USA
US United States of America|UY Uruguay|VE Venezuela|VN Vietnam|ZA South Africa
"""
BY_NAME = {plain(entry[3:]): entry[:2] for entry in re.split(r"[|\n]", _NAMES.strip())}
_ALIKE = 0.88


def country_code(written: str) -> str:
    """The code of a country that is written as a code or a name, small typos included; empty when it is none."""
    if re.fullmatch(r"[A-Za-z]{2}", written):
        return written.upper()
    name = plain(written)
    near = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=_ALIKE) if name else []
    return BY_NAME[near[0]] if near else ""


def country_in(cells: Cells) -> str:
    """The code of the country that a row's column `country` names, empty when it names none. Raises BadCell."""
    written = cells.text("country", 60)
    code = country_code(written)
    if written and not code:
        raise BadCell(f"country {written[:40]!r} is neither a code such as DE nor a known name")
    if code != written:
        cells.repairs.append(f"country {written!r} read as {code}")
    return code
