// Shapes of values that come from outside: a file is believed only where it looks like what it claims to be.

export type Shape = (value: unknown) => boolean;

export const text: Shape = value => typeof value === 'string' && value.length <= 1 << 20;
/** A non-negative whole number. */
export const count: Shape = value => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
export const integer: Shape = value => typeof value === 'number' && Number.isSafeInteger(value);
export const flag: Shape = value => typeof value === 'boolean';
export const address: Shape = value => typeof value === 'bigint' && value >= 0n && value < 1n << 64n;
export const bytes: Shape = value => value instanceof Uint8Array;
export const scalar: Shape = value =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

export const optional =
  (shape: Shape): Shape =>
  value =>
    value === undefined || shape(value);
export const oneOf =
  (...allowed: readonly (string | number)[]): Shape =>
  value =>
    allowed.some(one => one === value);
export const list =
  (shape: Shape, most = 1 << 20): Shape =>
  value =>
    Array.isArray(value) && value.length <= most && value.every(shape);
export const tuple =
  (...shapes: readonly Shape[]): Shape =>
  value =>
    Array.isArray(value) && value.length === shapes.length && shapes.every((shape, i) => shape(value[i]));

/** A plain object with these fields; fields that are not named are let through unread. */
export const fields =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  value =>
    isObject(value) && Object.entries(shapes).every(([name, shape]) => shape(value[name]));

export const values =
  (shape: Shape): Shape =>
  value =>
    isObject(value) && Object.values(value).every(shape);

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
