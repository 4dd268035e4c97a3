"""Functions of one number that neither numpy nor ONNX has: what scikit-learn takes from SciPy."""

import math

import numpy as np

# Cephes' ndtri: the polynomials of the middle, of the tails to exp(-32), and beyond.
_P0 = (
    -5.99633501014107895267e1,
    9.80010754185999661536e1,
    -5.66762857469070293439e1,
    1.39312609387279679503e1,
    -1.23916583867381258016e0,
)
_Q0 = (
    1.0,
    1.95448858338141759834e0,
    4.67627912898881538453e0,
    8.63602421390890590575e1,
    -2.25462687854119370527e2,
    2.00260212380060660359e2,
    -8.20372256168333339912e1,
    1.59056225126211695515e1,
    -1.18331621121330003142e0,
)
_P1 = (
    4.05544892305962419923e0,
    3.15251094599893866154e1,
    5.71628192246421288162e1,
    4.40805073893200834700e1,
    1.46849561928858024014e1,
    2.18663306850790267539e0,
    -1.40256079171354495875e-1,
    -3.50424626827848203418e-2,
    -8.57456785154685413611e-4,
)
_Q1 = (
    1.0,
    1.57799883256466749731e1,
    4.53907635128879210584e1,
    4.13172038254672030440e1,
    1.50425385692907503408e1,
    2.50464946208309415979e0,
    -1.42182922854787788574e-1,
    -3.80806407691578277194e-2,
    -9.33259480895457427372e-4,
)
_P2 = (
    3.23774891776946035970e0,
    6.91522889068984211695e0,
    3.93881025292474443415e0,
    1.33303460815807542389e0,
    2.01485389549179081538e-1,
    1.23716634817820021358e-2,
    3.01581553508235416007e-4,
    2.65806974686737550832e-6,
    6.23974539184983293730e-9,
)
_Q2 = (
    1.0,
    6.02427039364742014255e0,
    3.67983563856160859403e0,
    1.37702099489081330271e0,
    2.16236993594496635890e-1,
    1.34204006088543189037e-2,
    3.28014464682127739104e-4,
    2.89247864745380683936e-6,
    6.79019408009981274425e-9,
)
_ROOT = 2.50662827463100050242  # of 2 pi
_TAIL = 0.13533528323661269189  # exp(-2)


def _polynomial(x: float, coefficients: tuple[float, ...]) -> float:
    total = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total


def ndtri(p: float) -> float:
    """The normal distribution's quantile, as Cephes has it."""
    if math.isnan(p) or p < 0 or p > 1:
        return math.nan
    if p in (0.0, 1.0):
        return -math.inf if p == 0 else math.inf
    upper = p > 1.0 - _TAIL
    y = 1.0 - p if upper else p
    if y > _TAIL:
        y = y - 0.5
        y2 = y * y
        x = y + y * (y2 * _polynomial(y2, _P0) / _polynomial(y2, _Q0))
        return x * _ROOT
    x = math.sqrt(-2.0 * math.log(y))
    x0 = x - math.log(x) / x
    z = 1.0 / x
    if x < 8.0:
        x1 = z * _polynomial(z, _P1) / _polynomial(z, _Q1)
    else:
        x1 = z * _polynomial(z, _P2) / _polynomial(z, _Q2)
    x = x0 - x1
    return x if upper else -x


def box_cox(x: float, power: float) -> float:
    """SciPy's boxcox."""
    if math.isnan(x) or x < 0:
        return math.nan
    log = math.log(x) if x > 0 else -math.inf
    if abs(power) < 1e-19:
        return log
    if power * log < 709.78:
        return math.expm1(power * log) / power
    return math.copysign(1.0, power) * math.exp(power * log - math.log(abs(power))) - 1 / power


def yeo_johnson(x: np.ndarray, power: float, logs: bool) -> np.ndarray:
    """Yeo and Johnson's transform: by logarithms, as SciPy has it, or by powers, as scikit-learn had it."""
    eps = np.finfo(np.float64).eps
    out = np.full_like(x, np.nan)
    up, down = x >= 0, x < 0
    high, low = x[up], -x[down]
    if abs(power) < eps:
        out[up] = np.log1p(high)
    elif logs:
        out[up] = np.expm1(power * np.log1p(high)) / power
    else:
        out[up] = (np.power(high + 1, power) - 1) / power
    if abs(power - 2) <= eps:
        out[down] = -np.log1p(low)
    elif logs:
        out[down] = -np.expm1((2 - power) * np.log1p(low)) / (2 - power)
    else:
        out[down] = -(np.power(low + 1, 2 - power) - 1) / (2 - power)
    return out


def quantile(x: np.ndarray, quantiles: tuple, references: tuple, normal: bool) -> np.ndarray:
    """QuantileTransformer: between the quantiles, from both sides; then the normal distribution's, within
    bounds."""
    q, r, near = np.array(quantiles), np.array(references), 1e-7
    out = 0.5 * (np.interp(x, q, r) - np.interp(-x, -q[::-1], -r[::-1]))
    above, below = (x + near > q[-1], x - near < q[0]) if normal else (x == q[-1], x == q[0])
    out[above] = 1.0
    out[below] = 0.0
    if not normal:
        return out
    low, high = ndtri(near - np.spacing(1)), ndtri(1 - (near - np.spacing(1)))
    return np.clip([ndtri(p) for p in out.tolist()], low, high)
