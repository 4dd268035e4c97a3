"""B-splines of one number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .values import Value

EPS = 2.0**-53


@dataclass(frozen=True, eq=False)
class Spline:
    """The B-splines of a degree over knots, at a number; coefficients float64 [bases, width].

    outside is what there is below the first and above the last inner knot:
     constant  what there is at that knot
     linear    that, and its slope to it
     continue  the polynomials go on
     periodic  the number is taken back between the knots
     error     NaN: the original refuses it
    ends is the place of the outermost knots that count as ends, the degree unless scikit-learn counts
    otherwise.
    missing is what NaN gives, NaN or 0. Computed as SciPy does, by de Boor's recursion: the same bits, but
    for
    what is linear outside.
    """

    values: tuple[Value]
    knots: np.ndarray
    coefficients: np.ndarray
    degree: int
    outside: str = "constant"
    missing: float = float("nan")
    ends: int | None = None

    @property
    def width(self) -> int:
        """Splines."""
        return self.coefficients.shape[1]

    def inputs(self) -> Sequence[Value]:
        """The number."""
        return self.values

    def _ends(self) -> tuple[float, float]:
        at = self.degree if self.ends is None else self.ends
        return float(self.knots[at]), float(self.knots[-at - 1])

    def compute(self, matrix: np.ndarray) -> np.ndarray:
        """The splines, [rows, width]."""
        x, t, k = matrix[:, 0], self.knots, self.degree
        n = len(t) - k - 1
        low, high = self._ends()
        at = np.where(np.isnan(x), low, x)
        if self.outside == "periodic":
            at = t[k] + (at - t[k]) % (t[n] - t[k])
        elif self.outside in ("constant", "linear"):
            at = np.clip(at, low, high)
        out = self.bases(at)
        if self.outside == "linear":
            self._extend(out, x, low, high)
        if self.outside == "error":
            out[(x < low) | (x > high)] = np.nan
        out[np.isnan(x)] = self.missing
        return out

    def _interval(self, x: np.ndarray) -> np.ndarray:
        """The knot before each number, none outside of the inner knots."""
        t, k = self.knots, self.degree
        return np.clip(np.searchsorted(t, x, side="right") - 1, k, len(t) - k - 2)

    def bases(self, x: np.ndarray, interval: np.ndarray | None = None) -> np.ndarray:
        """The splines where nothing is outside."""
        t, k = self.knots, self.degree
        ell = self._interval(x) if interval is None else interval
        h = np.zeros((len(x), k + 1))
        h[:, 0] = 1.0
        for j in range(1, k + 1):
            before = h[:, :j].copy()
            h[:, 0] = 0.0
            for m in range(1, j + 1):
                right, left = t[ell + m], t[ell + m - j]
                same = right == left
                w = before[:, m - 1] / np.where(same, 1.0, right - left)
                h[:, m - 1] = np.where(same, h[:, m - 1], h[:, m - 1] + w * (right - x))
                h[:, m] = np.where(same, 0.0, w * (x - left))
        out = np.zeros((len(x), self.width))
        for a in range(k + 1):
            out = out + self.coefficients[ell + a - k] * h[:, [a]]
        return out

    def slopes(self, x: float) -> np.ndarray:
        """The splines' first derivatives at a number, [width]."""
        t, k = self.knots, self.degree
        if k == 0:
            return np.zeros(self.width)
        lower = Spline(self.values, t, np.eye(len(t) - k), k - 1)
        lower = lower.bases(np.array([x]), self._interval(np.array([x])))[0]
        n = len(t) - k - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            by = np.where(t[k : k + n + 1] > t[: n + 1], k / (t[k : k + n + 1] - t[: n + 1]), 0.0)
        of = by[:n] * lower[:n] - by[1 : n + 1] * lower[1 : n + 1]
        return of @ self.coefficients

    def _extend(self, out: np.ndarray, x: np.ndarray, low: float, high: float) -> None:
        """Linear outside: of the splines at the ends, as many as the degree, one or two more of degrees 0 and
        1."""
        at_low, at_high = self.bases(np.array([low, high]))
        slope_low, slope_high = self.slopes(low), self.slopes(high)
        many = self.degree if self.ends is None else self.ends
        many = many + 1 if many <= 1 else many
        below, above = x < low, x > high
        out[below | above] = 0.0
        for j in range(min(many, self.width)):
            out[below, j] = at_low[j] + (x[below] - low) * slope_low[j]
            i = self.width - 1 - j
            out[above, i] = at_high[i] + (x[above] - high) * slope_high[i]

    def allowance(self, matrix: np.ndarray, off: np.ndarray | None = None) -> np.ndarray:
        """0, but where it is linear outside, or the number is off: by no more than the steepest slope
        then."""
        x = matrix[:, 0]
        out = np.zeros((len(matrix), self.width))
        low, high = self._ends()
        slope = 2 * max(self.degree, 1) / np.min(np.diff(np.unique(self.knots)))
        if self.outside == "linear":
            away = np.maximum(np.maximum(low - x, x - high), 0)
            out += 16 * EPS * (self.degree + 1) * (away * slope + (away > 0))[:, None]
        if off is not None:
            out += (
                off * slope if self.degree and self.outside != "continue" else np.where(off > 0, np.inf, 0.0)
            )
        return np.where(np.isnan(out), 0.0, out)
