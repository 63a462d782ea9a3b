// Whether two values say the same, part by part. What comes from a worker is a new object each time; an element for which
// nothing has changed is not drawn again.

/** Plain data: primitives, arrays, typed arrays and objects without methods. */
export function isSameContent(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), new Map<string, unknown>(Object.entries(b))];
  return (
    left.length === right.size &&
    Array.isArray(a) === Array.isArray(b) &&
    left.every(([key, value]) => right.has(key) && isSameContent(value, right.get(key)))
  );
}

/** For a property of an element: it changes where its content does. */
export const byContent = {
  attribute: false,
  hasChanged: (value: unknown, old: unknown): boolean => !isSameContent(value, old),
} as const;
