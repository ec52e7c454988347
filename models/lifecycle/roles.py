"""The roles of the domain: who may act. A role is a right, a person may hold several."""

from enum import StrEnum


class Role(StrEnum):
    """Roles of section 1 of the domain; `system` is the engine itself (timers, effects), never a person."""

    ACCOUNT_MANAGER = "account_manager"
    KEY_ACCOUNT_MANAGER = "key_account_manager"
    SALES_SUPPORT = "sales_support"
    HEAD_OF_SALES = "head_of_sales"
    COMMERCIAL_DIRECTOR = "commercial_director"
    RISK_OFFICER = "risk_officer"
    LEGAL = "legal"
    LOGISTICS_MANAGER = "logistics_manager"
    PRODUCTION = "production"
    ACCOUNTS_RECEIVABLE = "accounts_receivable"
    AUDITOR = "auditor"
    ADMIN = "admin"
    AUTOMATION = "automation"
    SYSTEM = "system"


SALES = frozenset({Role.ACCOUNT_MANAGER, Role.KEY_ACCOUNT_MANAGER})
SALES_AND_MACHINES = SALES | {Role.AUTOMATION}
HEADS = frozenset({Role.HEAD_OF_SALES, Role.COMMERCIAL_DIRECTOR})
MONEY = frozenset({Role.ACCOUNTS_RECEIVABLE, Role.AUTOMATION})
GOODS = frozenset({Role.LOGISTICS_MANAGER, Role.AUTOMATION})
ENGINE = frozenset({Role.SYSTEM})
PERSONS = frozenset(Role) - {Role.SYSTEM}

SEES_ALL = frozenset(
    {
        Role.COMMERCIAL_DIRECTOR,
        Role.RISK_OFFICER,
        Role.LEGAL,
        Role.LOGISTICS_MANAGER,
        Role.PRODUCTION,
        Role.ACCOUNTS_RECEIVABLE,
        Role.AUDITOR,
        Role.AUTOMATION,
    }
)
"""Roles that see every deal; heads of sales and sales support see their department, managers their own."""

SEES_DEPARTMENT = frozenset({Role.HEAD_OF_SALES, Role.SALES_SUPPORT})
BLIND_TO_PRICES = frozenset({Role.LOGISTICS_MANAGER, Role.PRODUCTION})
"""Roles that never see prices or margins (domain, section 1)."""
