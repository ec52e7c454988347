"""How the core says no: one refusal that names the action, every failing guard, and who can lift each."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guard saw. `found` is the value, `needed` what it should be, `lifted_by` who can change that."""

    guard: str
    ok: bool
    found: str
    needed: str
    lifted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act was refused. `code` is stable: malformed, unknown_action, wrong_state, wrong_role, guard_failed,
    stale_version, not_found, key_reused."""

    code: str
    action: str
    state: str
    message: str
    failing: tuple[Verdict, ...] = ()
    roles_allowed: tuple[str, ...] = ()
    states_allowed: tuple[str, ...] = ()
    allowed_actions: tuple[str, ...] = ()
    field_errors: dict[str, str] = field(default_factory=dict)


class MoveRefused(Exception):
    """The table or a guard does not allow the act; nothing changed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
