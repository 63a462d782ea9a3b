// A message with bytes in it, as one binary frame of a socket: bytes travel as they are, the rest as JSON.
//
//   u32 length of the JSON, little-endian · the JSON · the byte arrays, one after the other
//
// In the JSON a byte array is {"$bytes": length}, in the order in which they follow.

import {UserError} from './user-error.js';

const HEADER = 4;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Encodes plain data: null, booleans, numbers, strings, arrays, plain objects and Uint8Arrays. */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const text = JSON.stringify(message, function (this: Readonly<Record<string, unknown>>, key, value: unknown) {
    const bytes = this[key]; // before toJSON, which Node's Buffer has
    if (!(bytes instanceof Uint8Array)) return value;
    parts.push(bytes);
    return {$bytes: bytes.length};
  });
  const json = new TextEncoder().encode(text);
  const size = parts.reduce((sum, part) => sum + part.length, HEADER + json.length);
  const frame = new Uint8Array(size);
  new DataView(frame.buffer).setUint32(0, json.length, true);
  frame.set(json, HEADER);
  let at = HEADER + json.length;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** The message in a frame; its byte arrays are copies. @throws UserError 'bad-frame' for whatever encodeFrame cannot have made. */
export function decodeFrame(frame: Uint8Array): unknown {
  if (frame.length < HEADER) throw badFrame();
  const length = new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0, true);
  if (length > frame.length - HEADER) throw badFrame();
  let at = HEADER + length;
  const revive = (_key: string, value: unknown): unknown => {
    if (!isObject(value) || !('$bytes' in value)) return value;
    const size = value['$bytes'];
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > frame.length - at) throw badFrame();
    at += size;
    return new Uint8Array(frame.subarray(at - size, at)); // a copy, and of no subclass such as Buffer
  };
  try {
    const message: unknown = JSON.parse(
      new TextDecoder('utf-8', {fatal: true}).decode(frame.subarray(HEADER, HEADER + length)),
      revive,
    );
    if (at !== frame.length) throw badFrame();
    return message;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw badFrame();
  }
}

const badFrame = (): UserError => new UserError('bad-frame', 'A message arrived that Hyperscope did not write.');
