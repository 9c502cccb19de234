"""Tokens and the ring of keys that signs them."""

from __future__ import annotations

import re
import secrets
import statistics
import timeit
from base64 import b64encode, urlsafe_b64encode
from itertools import permutations

import pytest

from portal.tokens import (
    KINDS,
    LAST_EXP,
    PATHS,
    BadToken,
    Key,
    Keyring,
    KeyringError,
    UnknownKey,
    new_kid,
    new_secret,
    new_token_id,
)

NOON = 1_800_000_000  # seconds since 1970
LONGEST_HOST = "invoices.acme-company.test"  # 26 characters
UNSEALING_US = 10  # microseconds that unsealing may take on an idle machine


@pytest.fixture
def ring():
    return Keyring([Key("k2", new_secret(), "active"), Key("k1", new_secret(), "verify")])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exp", [0, 1, NOON, LAST_EXP])
def test_what_was_sealed_is_what_is_unsealed(ring, kind, exp):
    token_id = new_token_id()

    token = ring.seal(kind, token_id, exp, ring.active)

    assert ring.unseal(kind, token) == ("k2", token_id, exp, False)


def test_every_id_fits_into_73_characters_without_a_dot(ring):
    for token_id in (bytes(16), b"\xff" * 16, *(new_token_id() for _ in range(200))):
        token = ring.seal("invoice", token_id, NOON, ring.active)

        assert re.fullmatch(r"[a-z0-9]{2}[A-Za-z0-9_-]{27}~[A-Za-z0-9_-]{43}", token)
        assert token[-1].isalnum()  # mail programs drop a last - or _ from an address
        assert ring.unseal("invoice", token).token_id == token_id


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_takes_at_most_112_characters(ring, kind):
    assert len(LONGEST_HOST) == 26

    token = ring.seal(kind, new_token_id(), LAST_EXP, ring.active)

    assert len(f"https://{LONGEST_HOST}/{PATHS[kind]}/{token}/") <= 112


def test_a_link_has_the_same_token_every_time_and_in_every_process(ring):
    token_id = new_token_id()
    elsewhere = Keyring.parse(ring.dump())

    tokens = {r.seal("customer", token_id, 0, "k2") for r in (ring, elsewhere) for _ in range(3)}

    assert len(tokens) == 1


@pytest.mark.parametrize(("sealed", "opened"), list(permutations(KINDS, 2)))
def test_a_token_of_one_kind_never_unseals_as_another(ring, sealed, opened):
    for _ in range(100):
        token = ring.seal(sealed, new_token_id(), NOON, ring.active)

        with pytest.raises(BadToken):
            ring.unseal(opened, token)


def test_the_tokens_of_another_installation_are_unknown(ring):
    stranger = Keyring([Key("k2", new_secret())])

    with pytest.raises(BadToken):
        ring.unseal("invoice", stranger.seal("invoice", new_token_id(), NOON, "k2"))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "~", "k2", "k2~", "a" * 73, "\n", "\x00" * 73, "é" * 73, "\ud800" * 73, "😀" * 73, "٣" * 73),
        *("k2" + "A" * 27 + "~" + "A" * 43, "k2" + "A" * 27 + "~" + "A" * 42 + "=", "k2" + "é" * 27 + "~" + "é" * 43),
        "k" * 100_000,
    ],
    ids=lambda text: ascii(text[:4]),
)
@pytest.mark.parametrize("kind", KINDS)
def test_any_other_text_is_a_bad_token(ring, kind, text):
    with pytest.raises(BadToken):
        ring.unseal(kind, text)


def test_a_good_token_with_anything_around_it_is_bad(ring):
    token = ring.seal("session", new_token_id(), NOON, ring.active)

    for after in ("\n", " ", "/", "=", "~", "A", "é", "\ud800", token):
        for text in (token + after, after + token):
            with pytest.raises(BadToken):
                ring.unseal("session", text)


def test_the_message_of_a_bad_token_never_holds_the_token(ring):
    token = ring.seal("invoice", new_token_id(), NOON, ring.active)

    with pytest.raises(BadToken) as refused:
        ring.unseal("customer", token)

    assert token[2:29] not in str(refused.value)
    assert token[-43:] not in str(refused.value)
    assert refused.value.__suppress_context__


# Keys come and go


def test_a_new_key_mints_and_the_one_before_still_opens(ring):
    old = {kind: ring.seal(kind, new_token_id(), NOON, "k2") for kind in KINDS}

    after = ring.renewed(Key("k3", new_secret()))

    assert after.active == "k3"
    assert after.states == {"k3": "active", "k2": "verify", "k1": "verify"}
    assert all(after.unseal(kind, token).kid == "k2" for kind, token in old.items())


def test_three_rotations_lose_none_of_200_links(ring):
    links = []
    for turn in range(4):
        links += [(new_token_id(), ring.active) for _ in range(50)]
        tokens = [(token_id, ring.seal("customer", token_id, 0, kid)) for token_id, kid in links]

        ring = ring.renewed(Key(f"r{turn}", new_secret()))

        assert all(ring.unseal("customer", token).token_id == token_id for token_id, token in tokens)
        assert [ring.seal("customer", token_id, 0, kid) for token_id, kid in links] == [token for _, token in tokens]


def test_a_key_that_only_verifies_mints_its_own_links_again(ring):
    token = ring.seal("customer", new_token_id(), 0, "k1")

    assert ring.unseal("customer", token).kid == "k1"


def test_a_key_given_up_shows_the_way_and_mints_no_more(ring):
    token_id = new_token_id()
    token = ring.seal("invoice", token_id, NOON, "k1")

    after = ring.recovering("k1")

    assert after.unseal("invoice", token) == ("k1", token_id, NOON, True)
    assert not after.has("k1")
    with pytest.raises(UnknownKey, match="k1 is not in the ring"):
        after.seal("invoice", token_id, NOON, "k1")


def test_the_tokens_of_a_key_that_is_gone_are_unknown(ring):
    token = ring.seal("invoice", new_token_id(), NOON, "k1")

    after = ring.without("k1")

    assert ring.has("k1")
    assert not after.has("k1")
    with pytest.raises(BadToken):
        after.unseal("invoice", token)
    with pytest.raises(UnknownKey):
        after.seal("invoice", new_token_id(), NOON, "k1")


def test_a_forger_who_renames_the_key_gets_nowhere(ring):
    token = ring.seal("invoice", new_token_id(), NOON, "k1")

    with pytest.raises(BadToken):
        ring.unseal("invoice", "k2" + token[2:])


@pytest.mark.parametrize("leave", ["recovering", "without"])
def test_the_active_key_can_be_neither_given_up_nor_removed(ring, leave):
    with pytest.raises(KeyringError, match="run `portal keys new` first"):
        getattr(ring, leave)("k2")


@pytest.mark.parametrize("leave", ["recovering", "without"])
def test_a_key_that_is_not_there_can_be_neither_given_up_nor_removed(ring, leave):
    with pytest.raises(UnknownKey, match="it holds k2, k1"):
        getattr(ring, leave)("zz")


# The ring as text


def test_a_ring_survives_being_written_and_read(ring):
    after = Keyring.parse(ring.recovering("k1").dump())

    assert after.dump() == ring.recovering("k1").dump()
    assert (after.active, after.states) == ("k2", {"k2": "active", "k1": "recover"})


def test_a_ring_is_read_in_either_alphabet_padded_or_not_with_spaces_and_a_last_line_break():
    secret = b"\xfb\xff" + new_secret()
    spellings = (b64encode(secret), urlsafe_b64encode(secret), b64encode(secret).rstrip(b"="))

    rings = [Keyring.parse(f" k1:{text.decode()}:active , \n") for text in spellings]

    assert len({ring.dump() for ring in rings}) == 1


def written(kid="k1", secret=None, state="active"):
    return f"{kid}:{b64encode(secret or new_secret()).decode()}:{state}"


SAME = secrets.token_bytes(32)

REFUSED = {
    "nothing": ("", "There are no link keys"),
    "only commas": (" , ,", "There are no link keys"),
    "not three parts": ("k1:abc", "Entry 1 of the link keys must read name:secret:state"),
    "four parts": (written() + ":x", "Entry 1"),
    "a bare secret": (b64encode(SAME).decode(), "Entry 1"),
    "a long name": (written("key1"), "two characters of a-z and 0-9"),
    "a name in capitals": (written("K1"), "two characters of a-z and 0-9"),
    "a name in other digits": (written("k٣"), "two characters of a-z and 0-9"),
    "no such state": (written(state="retired"), "must end in :active, :verify or :recover"),
    "a short secret": (written(secret=secrets.token_bytes(31)), "has 31 bytes and needs at least 32"),
    "no secret": ("k1::active", "is not base64"),
    "not base64": ("k1:%%%%:active", "is not base64"),
    "cut base64": ("k1:" + "A" * 45 + ":active", "is not base64"),
    "zeros": (written(secret=b"\x01" * 32), "is not random"),
    "a placeholder": (written(secret=b"change-me-" * 4), "is not random"),
    "one name twice": (f"{written()},{written(state='verify')}", "the same name"),
    "one secret twice": (f"{written('k1', SAME)},{written('k2', SAME, 'verify')}", "the same secret"),
    "none active": (written(state="verify"), "Exactly one link key must be active, and 0 are"),
    "two active": (f"{written('k1')},{written('k2')}", "Exactly one link key must be active, and 2 are"),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_ring_that_is_wrong_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(KeyringError, match=re.escape(sentence)) as refused:
        Keyring.parse(text)

    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("text", [text for text, _ in REFUSED.values()], ids=REFUSED.keys())
def test_a_refusal_never_repeats_a_secret(text):
    with pytest.raises(KeyringError) as refused:
        Keyring.parse(text)

    for part in re.split("[:,]", text):
        assert len(part) < 12 or part not in str(refused.value)


def test_printing_a_key_or_a_ring_shows_no_secret(ring):
    key = Key("k9", SAME)

    assert repr(SAME) not in repr(key)
    assert b64encode(SAME).decode() not in repr(Keyring([key]))


@pytest.mark.parametrize(
    ("token_id", "exp"), [(b"", 0), (bytes(15), 0), (bytes(17), 0), (bytes(16), -1), (bytes(16), LAST_EXP + 1)]
)
def test_what_does_not_fit_into_a_token_is_not_sealed(ring, token_id, exp):
    with pytest.raises(ValueError, match="an id of 16 bytes and an exp from 0 to 4294967295 seconds"):
        ring.seal("invoice", token_id, exp, "k2")


# New keys


def test_a_new_name_is_two_characters_that_nobody_has():
    taken: set[str] = set()
    while len(taken) < 36 * 36:
        kid = new_kid(taken)
        assert re.fullmatch("[a-z0-9]{2}", kid)
        assert kid not in taken
        taken.add(kid)

    with pytest.raises(KeyringError, match="All names for link keys are taken"):
        new_kid(taken)


def test_new_secrets_and_ids_differ_and_are_long_enough():
    assert len({new_secret() for _ in range(100)}) == 100
    assert len({new_token_id() for _ in range(100)}) == 100
    assert (len(new_secret()), len(new_token_id())) == (32, 16)


@pytest.mark.proof
def test_unsealing_costs_at_most_ten_microseconds(ring):
    token = ring.seal("invoice", new_token_id(), NOON, ring.active)
    altered = token[:-2] + ("B" if token[-2] == "A" else "A") + token[-1]

    def refuse():
        try:
            ring.unseal("invoice", altered)
        except BadToken:
            return

    good = microseconds(lambda: ring.unseal("invoice", token))
    bad = microseconds(refuse)
    print(f"unseal: {good:.1f} µs, refuse: {bad:.1f} µs, seal: {microseconds(lambda: sealed(ring)):.1f} µs")

    assert good <= UNSEALING_US


def sealed(ring):
    return ring.seal("invoice", SAME[:16], NOON, "k2")


def microseconds(act):
    return statistics.median(timeit.repeat(act, number=10_000, repeat=7)) / 10_000 * 1_000_000
