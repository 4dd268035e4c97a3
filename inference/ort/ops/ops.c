// Registers skiff's operators with onnxruntime: skiff.Trees, which adds up trees (trees.h).
#include <onnxruntime_c_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "trees.h"

#define EXPORT __attribute__((visibility("default")))

// A kernel is the forest of one node of a graph.
struct kernel {
  const OrtApi *api;
  pthread_mutex_t lock; // a forest runs once at a time
  struct skiff_trees *trees;
};

static OrtStatus *failure(const OrtApi *api, const char *why) { return api->CreateStatus(ORT_INVALID_GRAPH, why); }

// An attribute that is a tensor [n, width] or, of width 1, [n], of a type. Where there is none, it has no rows.
static OrtStatus *read(const OrtApi *api, const OrtKernelInfo *info, OrtAllocator *allocator, const char *name,
                       ONNXTensorElementDataType type, int64_t width, OrtValue **value, struct skiff_array *array) {
  OrtStatus *status = api->KernelInfoGetAttribute_tensor(info, name, allocator, value);
  if (status) {
    *value = NULL;
    api->ReleaseStatus(status);
    return NULL;
  }
  OrtTensorTypeAndShapeInfo *shape = NULL;
  if ((status = api->GetTensorTypeAndShape(*value, &shape))) return status;
  ONNXTensorElementDataType is;
  size_t rank = 0;
  int64_t dims[2] = {0, 1};
  status = api->GetTensorElementType(shape, &is);
  if (!status) status = api->GetDimensionsCount(shape, &rank);
  if (!status && (is != type || rank != (width == 1 ? 1 : 2))) status = failure(api, "skiff.Trees: an attribute's type or shape");
  if (!status) status = api->GetDimensions(shape, dims, rank);
  if (!status && (dims[0] < 0 || dims[1] != width)) status = failure(api, "skiff.Trees: an attribute's shape");
  api->ReleaseTensorTypeAndShapeInfo(shape);
  if (status) return status;
  void *data = NULL;
  if ((status = api->GetTensorMutableData(*value, &data))) return status;
  *array = (struct skiff_array){data, (size_t)dims[0]};
  return NULL;
}

static OrtStatus *read_forest(const OrtApi *api, const OrtKernelInfo *info, struct kernel *kernel) {
  struct skiff_forest f = {0};
  struct skiff_array divisor = {0};
  int64_t single = 0;
  const struct {
    const char *name;
    ONNXTensorElementDataType type;
    int64_t width;
    struct skiff_array *to;
  } attributes[] = {
      {"sources", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 4, &f.sources},
      {"cuts", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 1, &f.cuts},
      {"views", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 3, &f.views},
      {"bits", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, 1, &f.bits},
      {"nodes", ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, 1, &f.nodes},
      {"trees", ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, 1, &f.trees},
      {"leaves", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 1, &f.leaves},
      {"base", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 1, &f.base},
      {"divisor", ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, 1, &divisor},
  };
  enum { COUNT = sizeof attributes / sizeof *attributes };
  OrtValue *values[COUNT] = {0};
  OrtAllocator *allocator = NULL;
  OrtStatus *status = api->GetAllocatorWithDefaultOptions(&allocator);
  for (size_t i = 0; i < COUNT && !status; i++)
    status = read(api, info, allocator, attributes[i].name, attributes[i].type, attributes[i].width, &values[i], attributes[i].to);
  if (!status) status = api->KernelInfoGetAttribute_int64(info, "single", &single);
  if (!status && divisor.count != 1) status = failure(api, "skiff.Trees: the divisor");
  if (!status) {
    const char *error = NULL;
    f.single = single != 0;
    memcpy(&f.divisor, divisor.data, sizeof f.divisor);
    kernel->trees = skiff_trees_new(&f, &error);
    if (!kernel->trees) {
      char why[128] = "skiff.Trees makes no sense: ";
      strncat(why, error, sizeof why - strlen(why) - 1);
      status = failure(api, why);
    }
  }
  for (size_t i = 0; i < COUNT; i++)
    if (values[i]) api->ReleaseValue(values[i]);
  return status;
}

static OrtStatusPtr create(const OrtCustomOp *op, const OrtApi *api, const OrtKernelInfo *info, void **made) {
  (void)op;
  struct kernel *kernel = calloc(1, sizeof *kernel);
  if (!kernel) return failure(api, "skiff.Trees: no memory");
  kernel->api = api;
  OrtStatus *status = read_forest(api, info, kernel);
  if (status) {
    free(kernel);
    return status;
  }
  pthread_mutex_init(&kernel->lock, NULL);
  *made = kernel;
  return NULL;
}

static void destroy(void *made) {
  struct kernel *kernel = made;
  pthread_mutex_destroy(&kernel->lock);
  skiff_trees_free(kernel->trees);
  free(kernel);
}

static OrtStatusPtr compute(void *made, OrtKernelContext *context) {
  struct kernel *kernel = made;
  const OrtApi *api = kernel->api;
  const OrtValue *x = NULL;
  OrtValue *y = NULL;
  OrtTensorTypeAndShapeInfo *shape = NULL;
  void *from = NULL, *to = NULL;
  size_t rank = 0;
  int64_t dims[2] = {0};
  OrtStatus *status = api->KernelContext_GetInput(context, 0, &x);
  if (!status) status = api->GetTensorTypeAndShape(x, &shape);
  if (status) return status;
  status = api->GetDimensionsCount(shape, &rank);
  if (!status && rank != 2) status = failure(api, "skiff.Trees: X is not [rows, columns]");
  if (!status) status = api->GetDimensions(shape, dims, 2);
  api->ReleaseTensorTypeAndShapeInfo(shape);
  if (!status && (dims[1] < 0 || (size_t)dims[1] < skiff_trees_columns(kernel->trees)))
    status = failure(api, "skiff.Trees: X has too few columns");
  if (!status) status = api->GetTensorMutableData((OrtValue *)x, &from);
  dims[1] = status ? 0 : dims[1];
  const int64_t out[2] = {dims[0], (int64_t)skiff_trees_outputs(kernel->trees)};
  if (!status) status = api->KernelContext_GetOutput(context, 0, out, 2, &y);
  if (!status) status = api->GetTensorMutableData(y, &to);
  if (status || dims[0] <= 0) return status;
  pthread_mutex_lock(&kernel->lock);
  skiff_trees_run(kernel->trees, from, (size_t)dims[0], (size_t)dims[1], to);
  pthread_mutex_unlock(&kernel->lock);
  return NULL;
}

static const char *name(const OrtCustomOp *op) { return (void)op, "Trees"; }
static const char *provider(const OrtCustomOp *op) { return (void)op, NULL; } // the CPU
static size_t one(const OrtCustomOp *op) { return (void)op, 1; }
static ONNXTensorElementDataType doubles(const OrtCustomOp *op, size_t i) {
  return (void)op, (void)i, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
}
static OrtCustomOpInputOutputCharacteristic required(const OrtCustomOp *op, size_t i) {
  return (void)op, (void)i, INPUT_OUTPUT_REQUIRED;
}
static OrtMemType memory(const OrtCustomOp *op, size_t i) { return (void)op, (void)i, OrtMemTypeDefault; }
static int version(const OrtCustomOp *op) { return (void)op, 1; }

static const OrtCustomOp trees_op = {
    .version = ORT_API_VERSION,
    .GetName = name,
    .GetExecutionProviderType = provider,
    .GetInputType = doubles,
    .GetInputTypeCount = one,
    .GetOutputType = doubles,
    .GetOutputTypeCount = one,
    .KernelDestroy = destroy,
    .GetInputCharacteristic = required,
    .GetOutputCharacteristic = required,
    .GetInputMemoryType = memory,
    .CreateKernelV2 = create,
    .KernelComputeV2 = compute,
    .GetStartVersion = version,
    .GetEndVersion = version,
};

// What onnxruntime calls when it is told of this library.
EXPORT OrtStatus *RegisterCustomOps(OrtSessionOptions *options, const OrtApiBase *base) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static OrtCustomOpDomain *domain; // it lives as long as the process: sessions refer to it
  const OrtApi *api = base->GetApi(ORT_API_VERSION);
  if (!api) return base->GetApi(1)->CreateStatus(ORT_FAIL, "skiff's operators want a later onnxruntime");
  OrtStatus *status = NULL;
  pthread_mutex_lock(&lock);
  if (!domain) {
    OrtCustomOpDomain *made = NULL;
    status = api->CreateCustomOpDomain("skiff", &made);
    if (!status && (status = api->CustomOpDomain_Add(made, &trees_op))) api->ReleaseCustomOpDomain(made);
    else if (!status) domain = made;
  }
  pthread_mutex_unlock(&lock);
  return status ? status : api->AddCustomOpDomain(options, domain);
}

// The same for a caller that has no header of onnxruntime: NULL, or why it failed, to be freed.
EXPORT char *skiff_register(void *options, const void *base) {
  OrtStatus *status = RegisterCustomOps(options, base);
  if (!status) return NULL;
  const OrtApi *api = ((const OrtApiBase *)base)->GetApi(1);
  char *why = strdup(api->GetErrorMessage(status));
  api->ReleaseStatus(status);
  return why ? why : strdup("no memory");
}
