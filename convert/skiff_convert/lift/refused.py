"""Steps of scikit-learn that do not convert, each with what to do instead."""

from ..look.graph import Obj
from .table import Lifting, Matrix

HINTS = {
    "KNNImputer": "SimpleImputer converts, and HistGradientBoosting takes missing values as they are",
    "IterativeImputer": "SimpleImputer converts, and HistGradientBoosting takes missing values as they are",
    "HashingVectorizer": "a category by OneHotEncoder or DictVectorizer converts",
    "FeatureHasher": "DictVectorizer or OneHotEncoder converts",
    "TfidfVectorizer": "a category by OneHotEncoder converts; text of many words does not",
    "TfidfTransformer": "a category by OneHotEncoder converts; text of many words does not",
    "CountVectorizer": "a category by OneHotEncoder converts; text of many words does not",
    "KernelPCA": "PCA converts",
    "NMF": "PCA or TruncatedSVD converts",
    "LatentDirichletAllocation": "TruncatedSVD converts",
    "GaussianProcessRegressor": "KernelRidge or SVR converts",
    "GaussianProcessClassifier": "SVC converts",
    "RadiusNeighborsRegressor": "KNeighborsRegressor converts",
    "RadiusNeighborsClassifier": "KNeighborsClassifier converts",
    "OutputCodeClassifier": "OneVsRestClassifier converts",
    "MultiLabelBinarizer": "it transforms labels, not features",
    "LabelBinarizer": "it transforms labels, not features: OneHotEncoder converts",
    "LabelEncoder": "it transforms labels, not features: OrdinalEncoder converts",
}


def refuse(obj: Obj, matrix: Matrix, lifting: Lifting) -> Matrix:
    """The error that names the step, and what converts instead."""
    raise lifting.refuse(f"{obj.name} is not supported", HINTS[obj.name])


TRANSFORMERS = dict.fromkeys(HINTS, refuse)
ESTIMATORS = dict.fromkeys(HINTS, refuse)
