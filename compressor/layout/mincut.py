"""Binary labelling of least cost, by maximum flow.

A labelling assigns FIRST (0) or LAST (1) to each variable. Costs of single variables and of pairs
that are submodular (``c00 + c11 <= c01 + c10``) are minimised exactly by a minimum cut between a
source (FIRST) and a sink (LAST): Kolmogorov and Zabih, "What Energy Functions Can Be Minimized
via Graph Cuts?" (PAMI 2004). The flow is found by Dinic's algorithm (1970).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

_SOURCE, _SINK = 0, 1
FORBIDDEN = 1 << 60


@dataclass(frozen=True, kw_only=True)
class PairCost:
    """Cost of two variables by their labels: *ab* when the first is ``a``, the second ``b``."""

    c00: int = 0
    c01: int = 0
    c10: int = 0
    c11: int = 0

    @property
    def is_submodular(self) -> bool:
        """Whether a cut can express it."""
        return self.c00 + self.c11 <= self.c01 + self.c10

    def made_submodular(self) -> PairCost:
        """Return the costs with those of different labels raised as far as a cut needs."""
        excess = max(self.c00 + self.c11 - self.c01 - self.c10, 0)
        return replace(self, c01=self.c01 + (excess + 1) // 2, c10=self.c10 + excess // 2)


class Labelling:
    """Variables and costs, collected one by one, then solved."""

    def __init__(self) -> None:
        self._edges: list[list[int]] = [[], []]
        self._target: list[int] = []
        self._capacity: list[int] = []

    def variable(self) -> int:
        """Return a new variable."""
        self._edges.append([])
        return len(self._edges) - 1

    def cost(self, variable: int, *, first: int = 0, last: int = 0) -> None:
        """Charge *first* or *last* for the label of *variable*."""
        shared = min(first, last)
        self._edge(_SOURCE, variable, last - shared)
        self._edge(variable, _SINK, first - shared)

    def pair(self, left: int, right: int, cost: PairCost) -> None:
        """Charge *cost* for the labels of two variables.

        Raises:
            ValueError: when it is not submodular.
        """
        if not cost.is_submodular:
            raise ValueError("a minimum cut cannot express this cost")
        self._signed(left, cost.c10 - cost.c00)
        self._signed(right, cost.c11 - cost.c10)
        self._edge(left, right, cost.c01 + cost.c10 - cost.c00 - cost.c11)

    def differ(self, left: int, others: Sequence[int], cost: int) -> None:
        """Charge *cost* once when any of *others* has another label than *left*."""
        if len(others) == 1:
            self._edge(left, others[0], cost)
            self._edge(others[0], left, cost)
            return
        any_last, any_first = self.variable(), self.variable()
        self._edge(left, any_last, cost)
        self._edge(any_first, left, cost)
        for other in others:
            self._edge(any_last, other, FORBIDDEN)
            self._edge(other, any_first, FORBIDDEN)

    def solve(self) -> list[int]:
        """Return a label for each variable, by number (the first two entries mean nothing).

        Among labellings of equal cost it is the one with the most FIRST.
        """
        while (level := self._levels())[_SINK] >= 0:
            following = [0] * len(self._edges)
            while self._augment(level, following):
                pass
        reaches_sink = self._reaching_sink()
        return [int(reached) for reached in reaches_sink]

    def _signed(self, variable: int, last: int) -> None:
        self.cost(variable, last=max(last, 0), first=max(-last, 0))

    def _edge(self, source: int, target: int, capacity: int) -> None:
        if capacity == 0:
            return
        for start, end, amount in ((source, target, capacity), (target, source, 0)):
            self._edges[start].append(len(self._target))
            self._target.append(end)
            self._capacity.append(amount)

    def _levels(self) -> list[int]:
        level = [-1] * len(self._edges)
        level[_SOURCE] = 0
        queue = deque([_SOURCE])
        while queue:
            node = queue.popleft()
            for edge in self._edges[node]:
                target = self._target[edge]
                if self._capacity[edge] and level[target] < 0:
                    level[target] = level[node] + 1
                    queue.append(target)
        return level

    def _augment(self, level: list[int], following: list[int]) -> int:
        """Push flow along one shortest path; *following* skips edges found to be dead ends."""
        path: list[int] = []
        node = _SOURCE
        while node != _SINK:
            edge = self._next_edge(node, level, following)
            if edge is not None:
                path.append(edge)
                node = self._target[edge]
            elif path:
                node = self._target[path.pop() ^ 1]
                following[node] += 1
            else:
                return 0
        amount = min(self._capacity[edge] for edge in path)
        for edge in path:
            self._capacity[edge] -= amount
            self._capacity[edge ^ 1] += amount
        return amount

    def _next_edge(self, node: int, level: list[int], following: list[int]) -> int | None:
        edges = self._edges[node]
        while following[node] < len(edges):
            edge = edges[following[node]]
            if self._capacity[edge] and level[self._target[edge]] == level[node] + 1:
                return edge
            following[node] += 1
        return None

    def _reaching_sink(self) -> list[bool]:
        reached = [False] * len(self._edges)
        reached[_SINK] = True
        queue = deque([_SINK])
        while queue:
            node = queue.popleft()
            for edge in self._edges[node]:
                source = self._target[edge]
                if self._capacity[edge ^ 1] and not reached[source]:
                    reached[source] = True
                    queue.append(source)
        return reached
