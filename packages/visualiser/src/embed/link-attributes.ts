// What the attributes of <hyperscope-lab> say, as the fragment of a link. Written by hand, so that the element stays one small file;
// the lab in the frame reads it as strictly as any link.

/** Attributes that are entries of a link, by the name that the entry has there, in its order. The last four came with version 3. */
const ENTRIES = [
  ['switches', 'switches'],
  ['scenario', 'scenario'],
  ['tab', 'panel'],
  ['text', 'text'],
  ['set', 'set'],
  ['look', 'look'],
  ['compare', 'compare'],
  ['mode', 'mode'],
] as const;
const OF_VERSION_3: ReadonlySet<string> = new Set(['set', 'look', 'compare', 'mode']);

/** Attributes that name a moment; `program` is an edited program as it is written. */
export const LINK_ATTRIBUTES: readonly string[] = [
  'technique',
  'guest',
  'step',
  'link',
  'program',
  ...ENTRIES.map(([attribute]) => attribute),
];

/** `get` gives an attribute, `text` the packed program where there is one. */
export function linkOfAttributes(get: (name: string) => string | null, text: string | undefined): string {
  const link = get('link');
  if (link !== null) return link.startsWith('#') ? link : `#${link}`;
  const entries = ENTRIES.flatMap(([attribute, entry]) => {
    const value = attribute === 'text' ? (text ?? get('text')) : get(attribute);
    return value === null || value === '' ? [] : [{entry, value: value.trim().replaceAll(/\s*([,:])\s*/g, '$1')}];
  });
  const place = `${get('technique') ?? 'vtx-ept'}/${get('guest') ?? 'hello-kvm'}`;
  const step = get('step');
  if (entries.length === 0) return step === null ? `#v1/${place}` : `#v1/${place}/${step}`;
  const version = entries.some(({entry}) => OF_VERSION_3.has(entry)) ? 3 : 2;
  return `#v${version}/${place}/${step ?? ''}${entries.map(({entry, value}) => `;${entry}=${value}`).join('')}`;
}
