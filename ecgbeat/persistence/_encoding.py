"""Python values as JSON and named arrays.

JSON stands for itself where it can: None, booleans, integers, finite floats, strings and lists. Any
other value is an object whose first name says its kind. Estimators and arrays that occur several
times are written once; later places refer to their number.
"""

import importlib
import math
import re
from collections.abc import Callable, Iterable
from functools import partial
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar

import numpy as np

from ecgbeat.persistence import _estimators
from ecgbeat.persistence._allowed import CALLABLES, CLASSES, name_of, resolve
from ecgbeat.persistence._container import STORABLE_DTYPES

# classes that are not restored from their attributes alone; torch is imported for networks only
_MODULES = {
    "ecgbeat.ECGCNNClassifier": "_networks",
    "ecgbeat.ECGCNNLSTMClassifier": "_networks",
    "sklearn.ensemble.HistGradientBoostingClassifier": "_boosting",
}
_SCALARS = (np.bool_, np.number, np.str_)
_DTYPE_NAME = re.compile(r"[<|][?biuf]\d|[<|]U\d{1,4}|\|[bO]1?")


def _module_for(class_name: str) -> ModuleType:
    """Return the module that takes objects of a class apart and puts them together."""
    module = _MODULES.get(class_name)
    return importlib.import_module(f"{__package__}.{module}") if module else _estimators


class Encoder:
    """Translation of values to JSON.

    Attributes
    ----------
    tensors : dict of str to ndarray
        The arrays found, named after their place in the model.
    packages : set of str
        The packages whose classes were found.
    signal : dict
        Sampling rate and number of leads of the first estimator that has them.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray] = {}
        self.packages: set[str] = set()
        self.signal: dict[str, Any] = {}
        self._numbers: dict[int, int] = {}  # of estimators and arrays, by id
        self._alive: list[Any] = []  # ids of objects that are gone would be given again
        self._begun: set[int] = set()

    def encode(self, value: Any, path: str = "") -> Any:
        """Return JSON for a value, whose place in the model is ``path``."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind is list:
            return self._all(value, path)
        if isinstance(value, _SCALARS):
            return {"scalar": value.dtype.str, "value": self.encode(value.item(), path)}
        encode = self._BY_TYPE.get(kind)
        if encode is not None:
            return encode(self, value, path)
        if kind in (np.ndarray, np.memmap):
            return self._once(value, path, self._array)
        if name := name_of(value, CALLABLES):
            return {"callable": name}
        if isinstance(value, np.dtype) and _DTYPE_NAME.fullmatch(value.str):
            return {"dtype": value.str}
        if kind.__name__ == "Bunch" and kind.__module__.startswith("sklearn."):
            return {"bunch": self._pairs(value, path)}
        replaced = _estimators.replaced(value)
        if replaced is not value:
            return self.encode(replaced, path)
        return self._once(value, path, self._object)

    def _all(self, values: Iterable[Any], path: str) -> list[Any]:
        return [self.encode(value, f"{path}.{_label(i, value)}") for i, value in enumerate(values)]

    def _tuple(self, values: tuple[Any, ...], path: str) -> dict[str, Any]:
        # the name of a step is part of its path
        named = len(values) > 1 and isinstance(values[0], str)
        if named:
            return {"tuple": [self.encode(value, path) for value in values]}
        return {"tuple": self._all(values, path)}

    def _set(self, values: set[Any], path: str) -> dict[str, Any]:
        return {type(values).__name__: self._all(sorted(values, key=repr), path)}

    def _dict(self, values: dict[Any, Any], path: str) -> dict[str, Any]:
        return {"dict": self._pairs(values, path)}

    def _pairs(self, values: dict[Any, Any], path: str) -> Any:
        """Return a JSON object if all keys are strings, else pairs."""
        nodes = [(key, self.encode(value, f"{path}.{key}")) for key, value in values.items()]
        if all(type(key) is str for key in values):
            return dict(nodes)
        return [[self.encode(key, path), node] for key, node in nodes]

    def _slice(self, value: slice, path: str) -> dict[str, Any]:
        return {"slice": self._all((value.start, value.stop, value.step), path)}

    def _partial(self, value: Any, path: str) -> dict[str, Any]:
        return {
            "partial": self.encode(value.func, f"{path}.func"),
            "args": self._all(value.args, path),
            "keywords": self._pairs(value.keywords, path),
        }

    def _random_state(self, value: np.random.RandomState, path: str) -> dict[str, Any]:
        kind, key, *rest = value.get_state()
        if kind != "MT19937":
            raise ValueError(f"{path} is a RandomState of {kind}; only MT19937 can be stored.")
        return {"random_state": [self.encode(x, path) for x in (np.array(key), *rest)]}

    def _array(self, value: np.ndarray, path: str) -> dict[str, Any]:
        if value.dtype == object:
            return {"objects": self._all(value.ravel().tolist(), path), "shape": list(value.shape)}
        if value.dtype.kind == "U" and value.dtype.itemsize:
            codes = np.array(value, dtype=value.dtype.newbyteorder("="), order="C", ndmin=1)
            width = value.dtype.itemsize // 4
            tensor = codes.view(np.uint32).reshape(*value.shape, width)
            return {"array": self._add(tensor, path), "dtype": "U"}
        if value.dtype.newbyteorder("=") not in STORABLE_DTYPES:
            raise ValueError(f"{path} is an array of {value.dtype}, which cannot be stored.")
        is_fortran = value.flags.f_contiguous and not value.flags.c_contiguous
        order = {"order": "F"} if is_fortran else {}  # sums depend on it, by one bit
        native = np.asarray(value, dtype=value.dtype.newbyteorder("="), order="C")
        return {"array": self._add(native, path), **order}

    def _add(self, tensor: np.ndarray, path: str) -> str:
        name = path.lstrip(".")
        while name in self.tensors or not name:
            name += "_"
        self.tensors[name] = tensor
        return name

    def _object(self, value: Any, path: str) -> dict[str, Any]:
        name = name_of(type(value), CLASSES)
        if name is None:
            raise ValueError(_refusal(value, path))
        module = _module_for(name)
        state = module.get_state(value)
        self.packages |= {name.partition(".")[0], *module.PACKAGES}
        for key in ("fs", "n_leads_"):
            if isinstance(state.get(key), (int, float)):
                self.signal.setdefault(key, state[key])
        return {"object": name, "state": self._pairs(state, path)}

    def _once(self, value: Any, path: str, encode: Callable[[Any, str], Any]) -> Any:
        """Encode a value, or refer to it if it was encoded before."""
        if id(value) in self._numbers:
            return {"ref": self._numbers[id(value)]}
        if id(value) in self._begun:
            raise ValueError(f"{path} contains itself.")
        self._begun.add(id(value))
        node = encode(value, path)
        self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        return node

    _BY_TYPE: ClassVar[dict[type, Callable[[Any, Any, str], Any]]] = {
        dict: _dict,
        MappingProxyType: _dict,
        tuple: _tuple,
        set: _set,
        frozenset: _set,
        slice: _slice,
        partial: _partial,
        np.random.RandomState: _random_state,
    }


def _label(index: int, value: Any) -> str:
    """Return the name of an element of a list: that of a step, or its index."""
    is_step = isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], str)
    return value[0] if is_step else str(index)


def _refusal(value: Any, path: str) -> str:
    where = f"{path.lstrip('.')} of the model" if path else "The model"
    what = value if isinstance(value, type) or not hasattr(value, "get_params") else type(value)
    return (
        f"{where} is {what!r:.120}, which a model file cannot contain: it holds the estimators of "
        "ecgbeat, common ones of scikit-learn, and functions of ecgbeat.signal, so that no code is "
        "run when it is loaded. Replace it, set it to None if prediction does not need it, or use "
        "joblib.dump, whose files may only be loaded from sources that you trust."
    )


class Decoder:
    """Translation of JSON back to values; each array is used at most once."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._tensors = dict(tensors)
        self._made: list[Any] = []  # estimators and arrays, by number

    def decode(self, node: Any) -> Any:
        """Return the value of a piece of JSON."""
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        kind = next(iter(node), "")
        decode = self._BY_KIND.get(kind)
        if decode is None:
            raise ValueError(f"It contains a value of the unknown kind {kind!r:.40}.")
        value = decode(self, node)
        if kind in ("array", "objects", "object"):
            self._made.append(value)
        return value

    def _scalar(self, node: dict[str, Any]) -> Any:
        dtype = _dtype(node["scalar"])
        if dtype.kind == "O":
            raise ValueError("A scalar is no object.")
        return np.array(self.decode(node["value"]), dtype=dtype)[()]

    def _float(self, node: dict[str, Any]) -> float:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[node["float"]]

    def _items(self, node: dict[str, Any]) -> Any:
        kind, items = next(iter(node.items()))
        if not isinstance(items, list):
            raise ValueError(f"The items of a {kind} are no list.")
        values = self.decode(items)
        return {"tuple": tuple, "set": set, "frozenset": frozenset}[kind](values)

    def _dict(self, node: dict[str, Any]) -> dict[Any, Any]:
        return self._pairs(node["dict"])

    def _bunch(self, node: dict[str, Any]) -> Any:
        return resolve("sklearn.utils.Bunch", {"sklearn.utils.Bunch"})(**self._pairs(node["bunch"]))

    def _pairs(self, pairs: Any) -> dict[Any, Any]:
        if isinstance(pairs, dict):
            return {name: self.decode(value) for name, value in pairs.items()}
        # a value precedes its key, as in the encoder
        values = [(self.decode(value), key) for key, value in pairs]
        return {self.decode(key): value for value, key in values}

    def _slice(self, node: dict[str, Any]) -> slice:
        return slice(*self.decode(node["slice"]))

    def _partial(self, node: dict[str, Any]) -> Any:
        function = self.decode(node["partial"])
        if not callable(function):
            raise ValueError(f"A partial function is {function!r:.40}, not a function.")
        return partial(function, *self.decode(node["args"]), **self._pairs(node["keywords"]))

    def _random_state(self, node: dict[str, Any]) -> np.random.RandomState:
        key, position, has_gauss, cached = self.decode(node["random_state"])
        # the generator reads its key at the position without any check
        is_key = isinstance(key, np.ndarray) and key.shape == (624,) and key.dtype == np.uint32
        if not is_key or type(position) is not int or not 0 <= position <= 624:
            raise ValueError("A RandomState is not that of MT19937.")
        state = np.random.RandomState(0)
        state.set_state(("MT19937", key, position, int(has_gauss), float(cached)))
        return state

    def _array(self, node: dict[str, Any]) -> np.ndarray:
        name = node["array"]
        if name not in self._tensors:
            raise ValueError(f"The array {name!r:.80} is missing, or used twice.")
        array = self._tensors.pop(name)
        if node.get("dtype") == "U":
            if array.dtype != np.uint32 or array.ndim < 1 or array.shape[-1] < 1:
                raise ValueError(f"The array {name!r:.80} holds no texts.")
            if array.size and array.max() > 0x10FFFF:
                raise ValueError(f"The array {name!r:.80} holds no texts.")
            return array.view(f"U{array.shape[-1]}").reshape(array.shape[:-1])
        return np.asfortranarray(array) if node.get("order") == "F" else array

    def _objects(self, node: dict[str, Any]) -> np.ndarray:
        values = self.decode(node["objects"])
        array = np.empty(len(values), dtype=object)
        for index, value in enumerate(values):
            array[index] = value
        return array.reshape(node["shape"])

    def _object(self, node: dict[str, Any]) -> Any:
        name = node["object"]
        cls = resolve(name, CLASSES)
        if not isinstance(node["state"], dict):
            raise ValueError(f"The attributes of {name} have no names.")
        state = self._pairs(node["state"])
        return _module_for(name).from_state(cls, name, state)

    def _ref(self, node: dict[str, Any]) -> Any:
        number = node["ref"]
        if type(number) is not int or not 0 <= number < len(self._made):
            raise ValueError(
                f"It refers to the object number {number!r:.20}, which does not exist."
            )
        return self._made[number]

    _BY_KIND: ClassVar[dict[str, Callable[[Any, dict[str, Any]], Any]]] = {
        "array": _array,
        "bunch": _bunch,
        "callable": lambda _, node: resolve(node["callable"], CALLABLES),
        "dict": _dict,
        "dtype": lambda _, node: _dtype(node["dtype"]),
        "float": _float,
        "frozenset": _items,
        "object": _object,
        "objects": _objects,
        "partial": _partial,
        "random_state": _random_state,
        "ref": _ref,
        "scalar": _scalar,
        "set": _items,
        "slice": _slice,
        "tuple": _items,
    }


def _dtype(name: Any) -> np.dtype:
    if not isinstance(name, str) or not _DTYPE_NAME.fullmatch(name):
        raise ValueError(f"{name!r:.40} is no type of arrays that a model file may contain.")
    return np.dtype(name)
