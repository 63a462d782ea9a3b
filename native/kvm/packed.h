// Structures travel as the kernel lays them out: JavaScript hands over a typed array, the ioctl reads or fills it in
// place. No field is named on this side, and a set of registers costs one call.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

struct Bytes {
  uint8_t* data;
  size_t size;
};

/** The bytes of the typed array at `index` of the arguments. */
inline Bytes PackedArgument(const Napi::CallbackInfo& info, size_t index) {
  if (info.Length() <= index || !info[index].IsTypedArray()) {
    throw Napi::TypeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must be a typed array");
  }
  auto array = info[index].As<Napi::TypedArray>();
  // SAFETY: used only during this synchronous call, in which JavaScript cannot detach or resize the buffer.
  return {static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
}

/** As above, of exactly `size` bytes: a short buffer would let the kernel write past its end. */
inline uint8_t* PackedArgument(const Napi::CallbackInfo& info, size_t index, size_t size) {
  const Bytes bytes = PackedArgument(info, index);
  if (bytes.size != size) {
    throw Napi::RangeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must have " +
                                                std::to_string(size) + " bytes, not " + std::to_string(bytes.size));
  }
  return bytes.data;
}

/** A whole number from 0 to 2^53 - 1. */
inline uint64_t NumberArgument(const Napi::CallbackInfo& info, size_t index) {
  if (info.Length() > index && info[index].IsNumber()) {
    const double value = info[index].As<Napi::Number>().DoubleValue();
    if (value >= 0 && value <= 9007199254740991.0 && value == static_cast<double>(static_cast<uint64_t>(value))) {
      return static_cast<uint64_t>(value);
    }
  }
  throw Napi::TypeError::New(info.Env(), "argument " + std::to_string(index + 1) + " must be a whole number");
}
