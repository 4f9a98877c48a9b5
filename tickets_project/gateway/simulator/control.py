"""The simulator's own routes: faults, the call log, reset and health."""

from collections.abc import Iterable
from http import HTTPStatus

from tickets_project.gateway.simulator.bodies import parse_body
from tickets_project.gateway.simulator.calls import Calls
from tickets_project.gateway.simulator.faults import Fault, Faults
from tickets_project.gateway.simulator.operations import Operation, Operations, Service
from tickets_project.gateway.simulator.wire import Answer, Request, json_answer

PREFIX = "/_simulator/"

_DONE = Answer(HTTPStatus.NO_CONTENT)


class Control:
    """Answers what is under the prefix; such calls are neither logged nor hit by faults."""

    def __init__(self, services: Iterable[Service], known: Operations, faults: Faults, calls: Calls) -> None:
        self._services = services
        self._known = known
        self._faults = faults
        self._calls = calls

    def operations(self) -> tuple[Operation, ...]:
        """Return the table."""
        return (
            Operation("faults.add", "POST", f"{PREFIX}faults", self.add_fault),
            Operation("faults.list", "GET", f"{PREFIX}faults", self.list_faults),
            Operation("faults.clear", "DELETE", f"{PREFIX}faults", self.clear_faults),
            Operation("calls.list", "GET", f"{PREFIX}calls", self.list_calls),
            Operation("calls.clear", "DELETE", f"{PREFIX}calls", self.clear_calls),
            Operation("reset", "POST", f"{PREFIX}reset", self.reset),
            Operation("health", "GET", f"{PREFIX}health", self.health),
        )

    def add_fault(self, request: Request) -> Answer:
        """Put a fault at the end of the queue."""
        fault = parse_body(request.body, Fault)
        self._known.require(fault.operation)
        self._faults.pending.append(fault)
        return json_answer(HTTPStatus.CREATED, fault)

    def list_faults(self, _request: Request) -> Answer:
        """Return the faults that are still to strike."""
        return json_answer(HTTPStatus.OK, {"faults": self._faults.pending})

    def clear_faults(self, _request: Request) -> Answer:
        """Let every operation behave again."""
        self._faults.pending.clear()
        return _DONE

    def list_calls(self, request: Request) -> Answer:
        """Return the call log, or the calls of ?operation= alone."""
        operation = request.query.get("operation")
        if operation is not None:
            self._known.require(operation)
        return json_answer(HTTPStatus.OK, {"calls": self._calls.of(operation)})

    def clear_calls(self, _request: Request) -> Answer:
        """Empty the call log."""
        self._calls.log.clear()
        return _DONE

    def reset(self, _request: Request) -> Answer:
        """Forget the state of all services, the faults and the calls."""
        for service in self._services:
            service.reset()
        self._faults.pending.clear()
        self._calls.log.clear()
        return _DONE

    def health(self, _request: Request) -> Answer:
        """Say that the simulator serves."""
        return json_answer(HTTPStatus.OK, {"status": "ok"})
