// What a client may ask to run, checked: a guest that ships, or bytes of its own: an image, or what a page assembled.

import {UserError} from '@hyperscope/base';
import {KVM_DEPTHS} from '@hyperscope/kvm';
import * as v from 'valibot';
import {postedProgram, shippedProgram} from './kvm-program.js';
import type {KvmProgram} from './kvm-program.js';
import type {ServerLimits} from './limits.js';

const Depth = v.optional(v.picklist(KVM_DEPTHS), 'exits');
const Guest = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/, 'the name of a guest, such as hello-kvm'));
const Mode = v.optional(v.picklist(['real', 'protected', 'paged32', 'long']), 'long');
const Shipped = v.strictObject({guest: Guest, depth: Depth});
const Irqchip = v.optional(v.literal('kernel'));
const Query = v.strictObject({
  at: v.optional(v.pipe(v.string(), v.regex(/^0x[0-9a-f]{1,8}$/i, 'a hexadecimal address such as 0x8000')), '0x8000'),
  mode: Mode,
  memory: v.optional(v.pipe(v.string(), v.regex(/^[1-9]\d{0,3}$/, 'MiB of memory, such as 2'), v.transform(Number))),
  irqchip: Irqchip,
  depth: Depth,
});
const Address = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
/** Over the socket: bytes and their placement in one message. */
const Posted = v.strictObject({
  image: v.instance(Uint8Array),
  at: v.optional(Address, 0x8000),
  mode: Mode,
  memory: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9999))),
  irqchip: Irqchip,
  depth: Depth,
});

function describe(issues: readonly v.BaseIssue<unknown>[]): string {
  return issues.map(issue => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}`).join('; ') + '.';
}

function shipped(body: unknown, limits: ServerLimits): KvmProgram {
  const parsed = v.safeParse(Shipped, body);
  if (!parsed.success) throw new UserError('bad-request', describe(parsed.issues));
  return shippedProgram(parsed.output.guest, parsed.output.depth, limits);
}

/** The run that an HTTP request asks for. @throws UserError when it makes no sense. */
export function programOfBody(body: unknown, query: unknown, limits: ServerLimits): KvmProgram {
  if (!(body instanceof Uint8Array)) return shipped(body, limits);
  const parsed = v.safeParse(Query, query);
  if (!parsed.success) throw new UserError('bad-placement', describe(parsed.issues));
  const {at, depth, ...placement} = parsed.output;
  return postedProgram(body, {at: Number(at), ...placement}, depth, limits);
}

/** The run that a message over the socket asks for. @throws UserError when it makes no sense, or the image is too large. */
export function programOfMessage(request: unknown, limits: ServerLimits): KvmProgram {
  if (typeof request !== 'object' || request === null || !('image' in request)) return shipped(request, limits);
  const parsed = v.safeParse(Posted, request);
  if (!parsed.success) throw new UserError('bad-request', describe(parsed.issues));
  const {image, depth, ...placement} = parsed.output;
  if (image.length > limits.image)
    throw new UserError('too-large', `The image has ${image.length} bytes; this server takes ${limits.image}.`);
  return postedProgram(image, placement, depth, limits);
}
