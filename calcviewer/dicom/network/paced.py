"""What an association is about to send, never far ahead of what it sent."""

from __future__ import annotations

import queue
import threading
import time
from typing import TypeAlias

from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_ABORT, A_ASSOCIATE, A_P_ABORT, A_RELEASE, P_DATA
from pynetdicom.transport import T_CONNECT

_AHEAD = 32
_PAUSE_S = 0.001
_Primitive: TypeAlias = A_ASSOCIATE | A_RELEASE | A_ABORT | A_P_ABORT | P_DATA | T_CONNECT


class PacedQueue(queue.Queue[_Primitive]):
    """Takes the place of the library's own queue, into which a whole file would go at once.

    Nothing follows an abort: the library's state machine fails over data that do.
    """

    def __init__(self, provider: DULServiceProvider) -> None:
        super().__init__()
        self._provider = provider
        self._stopped = False
        self._order = threading.Lock()

    def put(self, item: _Primitive, block: bool = True, timeout: float | None = None) -> None:
        """Queue an item; data wait for room.

        Raises
        ------
        ConnectionError
            For data, when the association has ended or was stopped.
        """
        data = isinstance(item, P_DATA)
        while data and self.qsize() >= _AHEAD and not self._ended:
            time.sleep(_PAUSE_S)
        with self._order:
            if data and self._ended:
                raise ConnectionError("the association has ended")
            self._stopped |= isinstance(item, A_ABORT | A_P_ABORT)
            super().put(item, block, timeout)

    def stop(self) -> None:
        """Take no more data."""
        self._stopped = True

    @property
    def _ended(self) -> bool:
        return self._stopped or not self._provider.is_alive()
