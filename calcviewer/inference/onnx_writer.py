"""Write an ONNX model, without the package ``onnx``: the viewer runs networks, it makes none.

A model is a protocol-buffer message. Of its format only what a graph of fixed shapes needs is
here; the numbers are the field numbers of ``onnx.proto`` (format version 8, operator set 18).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

_FORMAT, _OPERATOR_SET = 8, 18
_ELEMENT_TYPES = {"float32": 1, "uint8": 2, "int32": 6, "int64": 7}
_INTEGER, _STRING, _INTEGERS = 2, 3, 7  # AttributeProto.AttributeType

Operand = str | float | NDArray[np.generic] | Sequence[int]
"""The name of a value, or a constant: a float32 number, an array, or int64 whole numbers."""


def element_type(dtype: DTypeLike) -> int:
    """Return the number of an array type: float32, uint8, int32 or int64."""
    return _ELEMENT_TYPES[np.dtype(dtype).name]


class Graph:
    """A graph under construction; values are known by their names."""

    def __init__(self) -> None:
        self._fields: list[bytes] = []
        self._names = 0

    def input(self, name: str, shape: Sequence[int]) -> str:
        """Declare a float32 input and return its name."""
        self._fields.append(_message(11, _value(name, np.float32, shape)))
        return name

    def output(self, name: str, value: str, dtype: DTypeLike, shape: Sequence[int]) -> None:
        """Declare ``value`` as the output ``name``."""
        self._node("Identity", [value], name, {})
        self._fields.append(_message(12, _value(name, dtype, shape)))

    def add(
        self, operator: str, *operands: Operand, **attributes: int | str | Sequence[int]
    ) -> str:
        """Add a node and return the name of its one output."""
        inputs = [one if isinstance(one, str) else self.constant(one) for one in operands]
        return self._node(operator, inputs, self._name(operator), attributes)

    def constant(self, value: float | NDArray[np.generic] | Sequence[int]) -> str:
        """Add a constant and return its name."""
        if isinstance(value, float):
            value = np.array(value, dtype=np.float32)
        elif not isinstance(value, np.ndarray):
            value = np.array(value, dtype=np.int64)
        name = self._name("constant")
        tensor = [_integer(1, size) for size in value.shape]
        tensor += [_integer(2, element_type(value.dtype)), _message(8, name.encode())]
        tensor += [_message(9, value.astype(value.dtype.newbyteorder("<")).tobytes())]
        self._fields.append(_message(5, b"".join(tensor)))
        return name

    def model(self, name: str) -> bytes:
        """Return the content of the ``.onnx`` file."""
        graph = b"".join([*self._fields, _message(2, name.encode())])
        operators = _message(1, b"") + _integer(2, _OPERATOR_SET)
        return _integer(1, _FORMAT) + _message(7, graph) + _message(8, operators)

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"{stem}_{self._names}"

    def _node(
        self,
        operator: str,
        inputs: Iterable[str],
        output: str,
        attributes: dict[str, int | str | Sequence[int]],
    ) -> str:
        node = [_message(1, name.encode()) for name in inputs]
        node += [_message(2, output.encode()), _message(4, operator.encode())]
        node += [_message(5, _attribute(name, value)) for name, value in attributes.items()]
        self._fields.append(_message(1, b"".join(node)))
        return output


def _value(name: str, dtype: DTypeLike, shape: Sequence[int]) -> bytes:
    dimensions = b"".join(_message(1, _integer(1, size)) for size in shape)
    tensor = _integer(1, element_type(dtype)) + _message(2, dimensions)
    return _message(1, name.encode()) + _message(2, _message(1, tensor))


def _attribute(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, str):
        content = _message(4, value.encode()) + _integer(20, _STRING)
    elif isinstance(value, int):
        content = _integer(3, value) + _integer(20, _INTEGER)
    else:
        content = b"".join(_integer(8, one) for one in value) + _integer(20, _INTEGERS)
    return _message(1, name.encode()) + content


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    """Encode text, bytes or an embedded message."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are written as their two's complement
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
