"""Modules that libraries import beside what the shell needs: executed when something in them is first asked for.

The standard library's `LazyLoader` executes a package as soon as something below it is imported; what follows does not.
"""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LATER: Mapping[str, tuple[str, ...]] = {
    "redis.asyncio": (),  # `redis` imports it, and we call Redis from threads
    "yaml": ("safe_dump",),  # kombu registers it, for messages that hardly anybody sends
}
"""Each with the functions that are handed on at an import, before anybody calls them."""


def install(later: Mapping[str, tuple[str, ...]] = LATER) -> None:
    """Let these modules wait, in this process and from now on; those that are loaded already stay as they are."""
    if not any(isinstance(finder, _Finder) and finder.later == later for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(later))


class _Finder(MetaPathFinder):
    def __init__(self, later: Mapping[str, tuple[str, ...]]) -> None:
        self.later = later

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.later:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Waiting(spec.loader, self.later[fullname])
        return spec


class _Waiting(Loader):
    """Executes a module once, whichever thread asks first; the others wait for it, as at any import."""

    def __init__(self, loader: Loader, functions: tuple[str, ...]) -> None:
        self._loader = loader
        self._functions = functions
        self._lock = threading.RLock()
        self._executing = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        for name in self._functions:
            setattr(module, name, self._handed_on(module, name))

        def asked(name: str) -> Any:  # Any: whatever the module holds
            return self._executed(module, name)

        vars(module)["__getattr__"] = asked

    def _executed(self, module: ModuleType, name: str) -> Any:
        asked = vars(module).get("__getattr__")
        with self._lock:
            if self._executing:  # by what it imports itself: as in any circle, it is not there yet
                raise AttributeError(f"{module.__name__} has no {name} yet")
            if asked is not None and vars(module).get("__getattr__") is asked:
                self._execute(module, asked)
        return getattr(module, name)

    def _execute(self, module: ModuleType, asked: object) -> None:
        self._executing = True
        try:
            self._loader.exec_module(module)
        finally:
            self._executing = False
        if vars(module).get("__getattr__") is asked:
            del vars(module)["__getattr__"]

    def _handed_on(self, module: ModuleType, name: str) -> Callable[..., Any]:
        def function(*given: Any, **named: Any) -> Any:
            if getattr(module, name) is function:
                self._executed(module, name)
            return getattr(module, name)(*given, **named)

        return function
