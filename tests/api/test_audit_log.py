"""The audit log over HTTP: an auditor takes checkpoints and proofs away, and can verify them with nothing of ours."""

from base64 import b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.checkpoint import read_note
from models.merkle import verify_consistency, verify_inclusion
from tests.api.conftest import Office
from tests.evidence.log_samples import do, grow

PATH = "/v1/audit"


async def told(office: Office, path: str, status: int = 200, role: str = "auditor", **params: Any) -> Any:
    answer = await office.get(role, PATH + path, **params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def signed(office: Office, key: str = "", role: str = "auditor") -> Any:
    answer = await office.post(role, f"{PATH}/checkpoints", key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_checkpoint_is_signed_on_demand_and_verifies_with_its_key(office: Office) -> None:
    size = (await told(office, "/checkpoint"))["size"]
    made = await signed(office)
    assert (made["size"], made["is_new"]) == (size, True)
    assert made["root"] == (await told(office, "/checkpoint"))["root"]
    head, (line,) = read_note(made["note"])
    (key,) = (await told(office, "/keys"))["items"]
    public = Ed25519PublicKey.from_public_bytes(b64decode(key["public_key"]))
    public.verify(line.signature, head.text().encode())
    assert key["verifier"] == f"{key['name']}+{key['key_hash']}+{key['verifier'].split('+', 2)[2]}"
    assert (head.size, head.root) == (size, made["root"])
    again = await signed(office)
    assert (again["number"], again["is_new"]) == (made["number"], False)
    assert (await told(office, "/checkpoints/latest"))["note"] == made["note"]
    assert (await told(office, f"/checkpoints/{made['number']}"))["root"] == made["root"]
    note = await office.get("auditor", f"{PATH}/checkpoints/latest", format="note")
    assert (note.text, note.headers["content-type"]) == (made["note"], "text/plain; charset=utf-8")


async def test_the_same_request_gets_the_same_answer(office: Office) -> None:
    first = await signed(office, "once")
    await grow(office.desk.books.database, 2)
    assert await signed(office, "once") == first
    assert (await signed(office, "twice"))["size"] == first["size"] + 2


async def test_checkpoints_are_listed_page_by_page(office: Office) -> None:
    for _ in range(3):
        await grow(office.desk.books.database, 2)
        await signed(office)
    first = await told(office, "/checkpoints", limit=2)
    rest = await told(office, "/checkpoints", limit=2, cursor=first["next_cursor"])
    assert [one["number"] for one in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next_cursor"] == ""
    assert first["items"][0]["deliveries"] == []
    await told(office, "/checkpoints", 400, cursor="nonsense")


async def test_a_leaf_is_proved_under_a_signed_root(office: Office) -> None:
    await grow(office.desk.books.database, 300)
    made = await signed(office)
    await grow(office.desk.books.database, 30)
    proof = await told(office, "/proofs/inclusion", sequence=17, size=made["size"])
    assert (proof["root"], proof["bytes"]) == (made["root"], 32 * len(proof["hashes"]))
    path = [bytes.fromhex(one) for one in proof["hashes"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(made["root"])
    assert verify_inclusion(leaf, 16, made["size"], path, root)
    leaves = (await told(office, "/leaves", limit=20))["items"]
    assert leaves[16]["leaf_hash"] == proof["leaf_hash"]
    assert (await told(office, "/proofs/inclusion", sequence=17))["size"] == made["size"] + 30


async def test_a_later_log_is_proved_to_go_on_from_an_earlier_one(office: Office) -> None:
    await grow(office.desk.books.database, 300)
    earlier = await signed(office)
    await grow(office.desk.books.database, 300)
    later = await signed(office)
    proof = await told(office, "/proofs/consistency", **{"from": earlier["size"], "to": later["size"]})
    assert (proof["from_root"], proof["root"]) == (earlier["root"], later["root"])
    path = [bytes.fromhex(one) for one in proof["hashes"]]
    old, new = bytes.fromhex(earlier["root"]), bytes.fromhex(later["root"])
    assert verify_consistency(earlier["size"], old, later["size"], new, path)
    assert await told(office, "/proofs/consistency", **{"from": earlier["size"]}) == proof


WRONG: list[tuple[str, dict[str, Any], int]] = [
    ("/proofs/inclusion", {}, 422),
    ("/proofs/inclusion", {"sequence": 0}, 422),
    ("/proofs/inclusion", {"sequence": -1}, 422),
    ("/proofs/inclusion", {"sequence": "x"}, 422),
    ("/proofs/inclusion", {"sequence": 2**53 - 1}, 422),
    ("/proofs/inclusion", {"sequence": 2**70}, 422),
    ("/proofs/inclusion", {"sequence": 1, "size": 2**53 - 1}, 422),
    ("/proofs/inclusion", {"sequence": 3, "size": 2}, 422),
    ("/proofs/consistency", {"from": 0}, 422),
    ("/proofs/consistency", {"from": 3, "to": 2}, 422),
    ("/proofs/consistency", {"from": 2**53 - 1}, 422),
    ("/checkpoints/latest", {}, 404),
    ("/checkpoints/latest", {"format": "xml"}, 422),
    ("/checkpoints/7", {}, 404),
    ("/checkpoints/0", {}, 422),
    ("/checkpoints/x", {}, 422),
]


@pytest.mark.parametrize(("path", "params", "status"), WRONG)
async def test_bad_input_is_told(office: Office, path: str, params: dict[str, Any], status: int) -> None:
    await grow(office.desk.books.database, 5)
    await told(office, path, status, **params)


READS = ("/checkpoints", "/checkpoints/latest", "/checkpoints/1", "/proofs/inclusion", "/proofs/consistency", "/keys")


@pytest.mark.parametrize("role", ["account_manager", "commercial_director", "logistics_manager", "accounts_receivable"])
async def test_others_have_no_business_with_the_log(office: Office, role: str) -> None:
    for path in READS:
        await told(office, path, 403, role, **{"sequence": 1, "from": 1})
    assert (await office.post(role, f"{PATH}/checkpoints")).status_code == 403
    assert (await office.post(role, f"{PATH}/keys/rotate")).status_code == 403
    assert (await office.http.get(PATH + "/keys")).status_code == 401


async def test_an_admin_rotates_the_key_and_an_auditor_may_not(office: Office) -> None:
    first = await signed(office)
    assert (await office.post("auditor", f"{PATH}/keys/rotate")).status_code == 403
    done = (await office.post("admin", f"{PATH}/keys/rotate", key="r-1")).json()
    assert (await office.post("admin", f"{PATH}/keys/rotate", key="r-1")).json() == done
    old, new = (await told(office, "/keys"))["items"]
    assert (old["key_hash"], bool(old["retired_at"])) == (first["key_hash"], True)
    assert (new, new["retired_at"]) == (done["key"], "")
    assert [line.key_hash for line in read_note(done["checkpoint"]["note"])[1]] == [new["key_hash"], old["key_hash"]]
    (leaf,) = (await told(office, "/leaves", kind="audit_key"))["items"]
    assert leaf["body"]["by"] == "u-admin"
    assert (await told(office, "/verification"))["sound"] is True


async def test_a_log_that_was_changed_is_not_signed_and_that_is_told(office: Office) -> None:
    await grow(office.desk.books.database, 5)
    await signed(office)
    await do(office.desk.books.database, f"UPDATE audit_leaves SET leaf_hash = '{'ab' * 32}' WHERE sequence = 2")
    refused = await office.post("auditor", f"{PATH}/checkpoints")
    assert (refused.status_code, refused.json()["code"]) == (409, "audit_log_contradicted")
    alarms = (await office.get("admin", "/v1/alerts", open=True)).json()["items"]
    assert [one["kind"] for one in alarms] == ["audit_log_contradicted"]
    assert (await told(office, "/verification"))["sound"] is False


async def test_a_log_with_a_gap_is_told(office: Office) -> None:
    await grow(office.desk.books.database, 5)
    await do(office.desk.books.database, "DELETE FROM audit_leaves WHERE sequence = 3")
    answer = await office.get("auditor", f"{PATH}/proofs/inclusion", sequence=1)
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_log_damaged")
