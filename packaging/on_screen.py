"""What a program says is on the screen: its widgets as assistive technology (AT-SPI) sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection

_ROOT = "/org/a11y/atspi/accessible/root"
_REGISTRY = "org.a11y.atspi.Registry"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_COMPONENT = "org.a11y.atspi.Component"
_ENABLED, _SHOWING = 1 << 8, 1 << 25
_ON_SCREEN = 0
_DEEPEST = 40
_WAIT_S = 30.0


@dataclass(frozen=True)
class Widget:
    """Something on the screen; place and size in pixels of the screen."""

    role: str
    name: str
    x: int
    y: int
    width: int
    height: int
    enabled: bool

    @property
    def middle(self) -> tuple[int, int]:
        """The pixel in its middle."""
        return self.x + self.width // 2, self.y + self.height // 2


class Screen:
    """Reads the widgets that are shown."""

    def __init__(self, session_bus: str) -> None:
        with open_dbus_connection(session_bus) as session:
            bus = DBusAddress("/org/a11y/bus", bus_name="org.a11y.Bus", interface="org.a11y.Bus")
            asked = new_method_call(bus, "GetAddress")
            (address,) = session.send_and_get_reply(asked, timeout=_WAIT_S).body
        self._bus: DBusConnection = open_dbus_connection(address)

    def close(self) -> None:
        """Leave the bus."""
        self._bus.close()

    def widgets(self) -> Iterator[Widget]:
        """Yield every widget that is shown, of every program."""
        for name, path in self._children(_REGISTRY, _ROOT):
            yield from self._below(name, path, 0)

    def find(self, name: str, role: str = "") -> Widget | None:
        """Return the first widget that has a name, and a role where one is given."""
        return next(
            (one for one in self.widgets() if one.name == name and role in ("", one.role)), None
        )

    def button(self, name: str) -> Widget | None:
        """Return the button that has a name and can be pressed."""
        buttons = {"button", "push button", "toggle button", "check box"}
        return next(
            (w for w in self.widgets() if w.name == name and w.role in buttons and w.enabled), None
        )

    def says(self, part: str) -> bool:
        """Return whether some widget shows a text with this part."""
        return any(part in one.name for one in self.widgets())

    def _below(self, name: str, path: str, depth: int) -> Iterator[Widget]:
        if depth > 1:
            low, _ = self._call(name, path, _ACCESSIBLE, "GetState")[0]
            if not low & _SHOWING:
                return
            title = self._property(name, path, "Name")
            (role,) = self._call(name, path, _ACCESSIBLE, "GetRoleName")
            box = self._call(name, path, _COMPONENT, "GetExtents", "u", (_ON_SCREEN,))
            x, y, width, height = box[0]
            yield Widget(role, title, x, y, width, height, bool(low & _ENABLED))
        if depth < _DEEPEST:
            for child_name, child_path in self._children(name, path):
                yield from self._below(child_name, child_path, depth + 1)

    def _children(self, name: str, path: str) -> list[tuple[str, str]]:
        (children,) = self._call(name, path, _ACCESSIBLE, "GetChildren")
        return [child for child in children if not child[1].endswith("/null")]

    def _property(self, name: str, path: str, wanted: str) -> str:
        place = DBusAddress(path, bus_name=name, interface=_ACCESSIBLE)
        answer = self._bus.send_and_get_reply(Properties(place).get(wanted), timeout=_WAIT_S)
        return str(answer.body[0][1])

    def _call(
        self,
        name: str,
        path: str,
        interface: str,
        method: str,
        kinds: str = "",
        body: tuple[Any, ...] = (),
    ) -> tuple[Any, ...]:
        place = DBusAddress(path, bus_name=name, interface=interface)
        asked = new_method_call(place, method, kinds, body)
        answer: tuple[Any, ...] = self._bus.send_and_get_reply(asked, timeout=_WAIT_S).body
        return answer
