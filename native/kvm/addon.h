// What one JavaScript environment (the main thread or a worker) keeps: the constructors of the classes that only
// other objects create.
#pragma once

#include <napi.h>

struct AddonData {
  Napi::FunctionReference vm;
  Napi::FunctionReference vcpu;
};
