// Sizes and offsets as the compiler sees them, for a test to hold against the constants of packages/kvm.
#pragma once

#include <napi.h>

Napi::Object Layout(Napi::Env env);
