"""Steps of scikit-learn that do not convert, each with what to do instead."""

from ..errors import ConvertError
from ..look.graph import Obj
from .table import Lifting

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


NEVER = ("HashingVectorizer", "FeatureHasher", "TfidfVectorizer", "TfidfTransformer", "CountVectorizer")
NEVER += ("MultiLabelBinarizer", "LabelBinarizer", "LabelEncoder")  # takes no numbers, or no features
CONSENT = (
    "or --accept-bound (make: ACCEPT_BOUND=1): sklearn-onnx converts this step alone, where it can, and it "
    "is served within the error that is measured, not to the last bit"
)


def unsupported(obj: Obj, lifting: Lifting) -> ConvertError:
    """The error that names a step without a lifter, what converts instead, and that consent may help."""
    hint = HINTS.get(obj.name, "leave it out, or add a lifter: skiff_convert/lift/README.md says how")
    offers = obj.package == "sklearn" and obj.name not in NEVER and lifting.opaque is None
    return lifting.refuse(f"{obj.name} is not supported", f"{hint}; {CONSENT}" if offers else hint)


def foreign(obj: Obj, lifting: Lifting) -> bool:
    """Whether a step without a lifter is to be converted by sklearn-onnx."""
    return lifting.opaque is not None and obj.package == "sklearn" and obj.name not in NEVER
