"""The session: any sequence of what a server does, in time, leads to one connection and enough wake-ups."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from openwebui_pocketbase.realtime.session import (
    CONNECTED,
    FIRST,
    HANDSHAKE,
    LONGEST,
    SETTLED,
    SILENCE,
    SPREAD,
    TOPIC,
    Action,
    Connect,
    Disconnect,
    Session,
    Subscribe,
    Wake,
)
from tests.support.machines import examples, machine

NAMES = st.one_of(st.sampled_from([CONNECTED, TOPIC, "message", "", "pb_connect", f"{TOPIC}?options=1"]), st.text())
NO_CLIENT = [
    "",
    "{",
    "[]",
    "null",
    "7",
    '"c"',
    "{}",
    '{"clientId":""}',
    '{"clientId":7}',
    '{"clientId":null}',
    "\udc80",
]
DATA = st.one_of(st.sampled_from(NO_CLIENT), st.text(), st.just('{"clientId":"other"}'))
NUMBERS = st.floats(0, 1, exclude_max=True)


def named(client_id: str) -> str:
    return json.dumps({"clientId": client_id})


def new_session(number: float = 0.5) -> Session:
    return Session(lambda: number)


def subscribed_session(now: float = 0.0) -> Session:
    session = new_session()
    session.opened()
    session.received(CONNECTED, named("c"))
    session.subscribed(now)
    return session


def test_from_the_connection_to_an_announcement() -> None:
    session = new_session()
    assert session.begin(7.0) == (Connect(7.0),)
    assert session.opened() == ()
    assert session.received(CONNECTED, named("c1")) == (Subscribe("c1"),)
    assert (session.client_id, session.patience) == ("", HANDSHAKE)
    assert session.subscribed(8.0) == (Wake(),)
    assert (session.client_id, session.patience) == ("c1", SILENCE)
    assert session.received(TOPIC, "12") == (Wake(),)
    assert session.closed(60.0) == (Wake(), Connect(60.0 + SPREAD / 2))
    assert (session.client_id, session.patience) == ("", HANDSHAKE)


@pytest.mark.parametrize("data", NO_CLIENT)
def test_a_stream_that_names_no_client_is_closed(data: str) -> None:
    session = new_session()
    session.opened()
    assert session.received(CONNECTED, data) == (Disconnect("its first event names no client"),)
    assert session.received(CONNECTED, named("c")) == ()
    assert session.subscribed(1.0) == ()
    assert session.closed(2.0) == (Connect(2.0 + FIRST * 0.75),)


@given(st.lists(NUMBERS, min_size=12, max_size=40))
@examples(60)
def test_after_failures_delays_grow_up_to_a_limit(numbers: list[float]) -> None:
    left = iter(numbers)
    session = Session(lambda: next(left))
    delays = []
    for _ in numbers:
        session.opened()
        (action,) = session.closed(0.0)
        assert isinstance(action, Connect)
        delays.append(action.at)
    growing = delays[:7]  # 6.4 seconds are the last before the limit
    assert all(later >= earlier for earlier, later in pairwise(growing))
    assert all(FIRST * 2**n / 2 <= delay <= FIRST * 2**n for n, delay in enumerate(growing))
    assert all(LONGEST / 2 <= delay <= LONGEST for delay in delays[7:])


@pytest.mark.parametrize("lived", [0.0, SETTLED / 2, SETTLED, 1800.0])
def test_a_subscribed_stream_ends_the_growth_if_it_was_not_cut_off_at_once(lived: float) -> None:
    session = new_session()
    for _ in range(5):
        session.opened()
        session.closed(0.0)
    session.opened()
    session.received(CONNECTED, named("c"))
    session.subscribed(0.0)
    is_good = lived >= SETTLED
    assert session.closed(lived) == (Wake(), Connect(lived + (SPREAD / 2 if is_good else FIRST * 2**5 * 0.75)))
    session.opened()
    assert session.closed(0.0) == (Connect(FIRST * (0.75 if is_good else 2**6 * 0.75)),)


def test_nothing_ends_twice() -> None:
    session = subscribed_session()
    assert session.closed(5.0)
    assert session.closed(5.0) == ()


class Machine(RuleBasedStateMachine):
    """A server, and the one who does the I/O and obeys; time passes as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.number = 0.0
        self.session = Session(lambda: self.number)
        self.connections = 0
        self.made = 0
        self.failures = 0
        self.connect_at: float | None = None
        self.asked_for = ""
        self.is_useless = False
        self.subscribed_at: float | None = None
        self.due = self.wakes = 0
        self.obey(self.session.begin(self.now))

    def obey(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case Connect(at):
                    assert (self.connections, self.connect_at) == (0, None)
                    self.connect_at = at
                case Subscribe(client_id):
                    assert client_id
                    assert (self.connections, self.asked_for) == (1, "")
                    self.asked_for = client_id
                case Disconnect():
                    assert self.connections == 1
                    self.is_useless = True
                case Wake():
                    self.wakes += 1

    @rule(seconds=st.floats(0, 400), number=NUMBERS)
    def passes(self, seconds: float, number: float) -> None:
        self.now += seconds
        self.number = number

    @precondition(lambda self: self.connect_at is not None)
    @rule()
    def connect(self) -> None:
        assert self.connect_at is not None
        self.now = max(self.now, self.connect_at)
        self.connect_at = None
        self.connections += 1
        self.made += 1
        self.obey(self.session.opened())

    @precondition(lambda self: self.connections and not self.is_useless and not self.asked_for)
    @rule()
    def first_event(self) -> None:
        self.obey(self.session.received(CONNECTED, named(f"c{self.made}")))
        assert self.asked_for == f"c{self.made}"

    @precondition(lambda self: self.connections and not self.is_useless)
    @rule(name=NAMES, data=DATA)
    def some_event(self, name: str, data: str) -> None:
        self.due += name == TOPIC and self.subscribed_at is not None
        self.obey(self.session.received(name, data))

    @precondition(lambda self: self.asked_for and not self.is_useless)
    @rule()
    def subscribed(self) -> None:
        if self.subscribed_at is None:
            self.subscribed_at = self.now
            self.due += 1
        self.obey(self.session.subscribed(self.now))

    @precondition(lambda self: not self.asked_for)
    @rule()
    def subscribed_without_being_asked(self) -> None:
        assert self.session.subscribed(self.now) == ()

    @precondition(lambda self: self.subscribed_at is not None)
    @rule(data=DATA)
    def announcement(self, data: str) -> None:
        self.due += 1
        self.obey(self.session.received(TOPIC, data))

    @precondition(lambda self: self.connections)
    @rule()
    def closed(self) -> None:
        since = self.subscribed_at
        self.connections, self.asked_for, self.is_useless, self.subscribed_at = 0, "", False, None
        self.due += since is not None
        self.obey(self.session.closed(self.now))
        assert self.connect_at is not None
        delay = self.connect_at - self.now
        if since is not None and self.now - since >= SETTLED:
            self.failures = 0
            assert -1e-6 <= delay <= SPREAD + 1e-6
        else:
            limit = min(FIRST * 2**self.failures, LONGEST)
            self.failures += 1
            assert limit / 2 - 1e-6 <= delay <= limit + 1e-6  # the clock's numbers are large

    @invariant()
    def wakes_for_each_subscription_announcement_and_end(self) -> None:
        assert self.wakes == self.due

    @invariant()
    def has_a_client_only_while_it_is_subscribed(self) -> None:
        assert self.session.client_id == (self.asked_for if self.subscribed_at is not None else "")

    @invariant()
    def goes_on(self) -> None:
        assert self.connections + (self.connect_at is not None) == 1

    @invariant()
    def is_patient_only_with_a_subscribed_stream(self) -> None:
        assert self.session.patience == (HANDSHAKE if self.subscribed_at is None else SILENCE)


def test_machine() -> None:
    run_state_machine_as_test(Machine, settings=machine(80, 40))
