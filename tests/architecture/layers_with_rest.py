"""An import contract of layers in which `*` stands for every child of the containers that no layer names.

import-linter's own layers either list all files or leave the unlisted ones unchecked. Here each file has a place
by its name, and a file of another name (`starting.py`, `stopping.py`) has the place of `*`.
"""

from typing import Any

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.layers import Layer, LayersContract, ModuleTail
from importlinter.domain.helpers import module_expressions_to_modules

_REST = ModuleTail("*")


class LayersWithRestContract(LayersContract):
    """`layers`, whose layer `*` (alone, or in `service : *`) holds the rest."""

    type_name = "layers_with_rest"
    layers: Any  # import-linter sets its fields when it reads the contract

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Put every child of the containers in its layer, then check as `layers` does."""
        rest = self._children(graph) - {tail.name for layer in self.layers for tail in layer.module_tails}
        self.layers = [_with_rest(layer, rest) if _REST in layer.module_tails else layer for layer in self.layers]
        return super().check(graph, verbose)

    def _children(self, graph: ImportGraph) -> set[str]:
        containers: Any = self.containers
        return {
            child.rpartition(".")[2]
            for container in module_expressions_to_modules(graph, containers)
            for child in graph.find_children(container.name)
        }


def _with_rest(layer: Layer, rest: set[str]) -> Layer:
    tails = layer.module_tails - {_REST} | {ModuleTail(name, is_optional=True) for name in rest}
    return Layer(tails, is_independent=False)
