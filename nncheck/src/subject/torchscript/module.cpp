// Loads and runs TorchScript models. tch's own `CModule` tells of no buffers, and its `TrainableCModule` renames the
// parameters; besides, what a model returns and why it fails is told here in a form that a report can show.

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace jit = torch::jit;

struct Model {
  jit::Module module;
  std::optional<bool> train;
};

using Fail = void (*)(void* state, const char* words);
using Take = void (*)(void* state, const char* name, at::Tensor* owned, uint8_t role);

template <typename Body>
bool guarded(void* state, Fail fail, const Body& body) noexcept {
  try {
    body();
    return true;
  } catch (const c10::Error& error) {
    fail(state, error.what_without_backtrace());
  } catch (const std::exception& exception) {
    fail(state, exception.what());
  } catch (...) {
    fail(state, "unknown C++ exception");
  }
  return false;
}

void give(void* state, Take take, const std::string& name, const at::Tensor& tensor, uint8_t role) {
  if (tensor.defined()) take(state, name.c_str(), new at::Tensor(tensor), role);
}

// The argument that tells an operator whether it trains.
std::optional<size_t> mode_argument(const jit::Node& node) {
  const std::string kind = node.kind().toQualString();
  if (kind == "aten::batch_norm") return 5;
  if (kind == "aten::dropout" || kind == "aten::dropout_" || kind == "aten::feature_dropout" ||
      kind == "aten::feature_dropout_" || kind == "aten::alpha_dropout" || kind == "aten::feature_alpha_dropout") {
    return 2;
  }
  return std::nullopt;
}

void count_modes(const jit::Block& block, size_t& eval, size_t& train) {
  for (const jit::Node* node : block.nodes()) {
    const auto index = mode_argument(*node);
    if (index && *index < node->inputs().size()) {
      const auto value = jit::toIValue(node->input(*index));
      if (value && value->isBool()) ++(value->toBool() ? train : eval);
    }
    for (const jit::Block* inner : node->blocks()) count_modes(*inner, eval, train);
  }
}

void give_outputs(const c10::IValue& value, void* state, Take take) {
  if (value.isTensor()) {
    give(state, take, "output", value.toTensor(), 0);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      if (entry.key().isString() && entry.value().isTensor()) {
        give(state, take, entry.key().toStringRef(), entry.value().toTensor(), 0);
      }
    }
  } else if (value.isTuple()) {
    const auto tuple = value.toTuple();
    const auto type = tuple->type();
    const auto& elements = tuple->elements();
    for (size_t i = 0; i < elements.size(); ++i) {
      if (!elements[i].isTensor()) continue;
      const bool named = type->schema() && i < type->schema()->arguments().size();
      give(state, take, named ? type->schema()->arguments()[i].name() : std::to_string(i), elements[i].toTensor(), 0);
    }
  } else if (value.isTensorList()) {
    size_t i = 0;
    for (const at::Tensor& tensor : value.toTensorVector()) give(state, take, std::to_string(i++), tensor, 0);
  }
}

}  // namespace

extern "C" {

// Loads a model onto a device, such as `cuda:1`. Null, after `fail`, if that cannot be done.
void* nncheck_jit_load(const char* file, const char* device, void* state, Fail fail) noexcept {
  Model* loaded = nullptr;
  guarded(state, fail, [&] {
    auto model = std::make_unique<Model>();
    model->module = jit::load(std::string(file), c10::Device(std::string(device)));
    loaded = model.release();
  });
  return loaded;
}

void nncheck_jit_free(void* model) noexcept { delete static_cast<Model*>(model); }

// Its tensors by their names in Python: parameters (role 0), buffers (1), and what is kept as neither (2).
bool nncheck_jit_tensors(void* model, void* state, Take take, Fail fail) noexcept {
  return guarded(state, fail, [&] {
    const jit::Module& module = static_cast<Model*>(model)->module;
    std::vector<const void*> told;
    const auto tell = [&](const std::string& name, const at::Tensor& tensor, uint8_t role) {
      told.push_back(tensor.unsafeGetTensorImpl());
      give(state, take, name, tensor, role);
    };
    for (const auto& parameter : module.named_parameters()) tell(parameter.name, parameter.value, 0);
    for (const auto& buffer : module.named_buffers()) tell(buffer.name, buffer.value, 1);
    for (const auto& attribute : module.named_attributes()) {
      if (!attribute.value.isTensor() || !attribute.value.toTensor().defined()) continue;
      const at::Tensor& tensor = attribute.value.toTensor();
      if (std::find(told.begin(), told.end(), tensor.unsafeGetTensorImpl()) == told.end()) tell(attribute.name, tensor, 2);
    }
  });
}

// How many of a model's operators have evaluation, and how many have training, written into them for good.
bool nncheck_jit_fixed_modes(void* model, size_t* eval, size_t* train, void* state, Fail fail) noexcept {
  return guarded(state, fail, [&] {
    const jit::Module& module = static_cast<Model*>(model)->module;
    const auto graph = module.get_method("forward").graph()->copy();
    jit::Inline(*graph);
    count_modes(*graph->block(), *eval, *train);
  });
}

// Runs `forward` with inputs by name where it has arguments of these names, by place otherwise.
bool nncheck_jit_forward(
    void* model,
    bool train,
    const at::Tensor* const* inputs,
    const char* const* names,
    size_t count,
    void* state,
    Take take,
    Fail fail) noexcept {
  return guarded(state, fail, [&] {
    Model& running = *static_cast<Model*>(model);
    if (running.train != train) {
      running.module.train(train);
      running.train = train;
    }
    // From the second forward pass on the optimizing executor fuses layers into operators that nobody can look into,
    // and that differ from PyTorch's in the last bits.
    const jit::GraphOptimizerEnabledGuard unoptimized(false);
    const auto method = running.module.get_method("forward");
    const auto& arguments = method.function().getSchema().arguments();
    const bool by_name = count > 1 && std::all_of(names, names + count, [&](const char* name) {
      return std::any_of(arguments.begin(), arguments.end(), [&](const c10::Argument& a) { return a.name() == name; });
    });
    std::vector<c10::IValue> placed;
    jit::Kwargs named;
    for (size_t i = 0; i < count; ++i) {
      if (by_name) {
        named.emplace(names[i], *inputs[i]);
      } else {
        placed.emplace_back(*inputs[i]);
      }
    }
    give_outputs(method(std::move(placed), named), state, take);
  });
}

}  // extern "C"
