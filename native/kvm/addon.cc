// The module: its classes, kick(), and the layouts. Loading it touches no device, so it loads anywhere.
#include "addon.h"

#include "kvm.h"
#include "kvm_run.h"
#include "layout.h"
#include "packed.h"
#include "tracepoints.h"
#include "vcpu.h"
#include "vm.h"

namespace {
Napi::Value Kick(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), KickById(static_cast<uint32_t>(NumberArgument(info, 0))));
}

Napi::Object Initialise(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData();
  data->vm = Napi::Persistent(Vm::Define(env));
  data->vcpu = Napi::Persistent(Vcpu::Define(env));
  env.SetInstanceData(data);
  exports.Set("Kvm", Kvm::Define(env));
  exports.Set("Tracepoints", Tracepoints::Define(env));
  exports.Set("kick", Napi::Function::New(env, Kick, "kick"));
  exports.Set("layout", Layout(env));
  return exports;
}
}  // namespace

NODE_API_MODULE(hyperscope_kvm, Initialise)
