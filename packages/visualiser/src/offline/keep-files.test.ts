// What is kept for offline: the lab, and the documentation only when somebody wants it.

import {describe, expect, it} from 'vitest';
import {KeptFiles, type OfflineFiles} from './keep-files.js';

const SCOPE = 'https://example.org/lab/';
const FILES: OfflineFiles = {
  lab: {version: 'a1', paths: ['index.html', 'assets/lab.js'], bytes: 20},
  documentation: {version: 'b1', paths: ['docs/index.html', 'docs/tour.html', 'docs/time.html'], bytes: 30},
};

/** Caches in memory, and a network that has everything but `absent`. */
function surroundings(absent: ReadonlySet<string> = new Set()) {
  const caches = new Map<string, Map<string, Response>>();
  const asked: string[] = [];
  let progressed = 0;
  const open = async (name: string) => {
    const entries = caches.get(name) ?? new Map<string, Response>();
    caches.set(name, entries);
    return {
      match: async (url: RequestInfo | URL) => entries.get(String(url)),
      put: async (url: RequestInfo | URL, response: Response) => void entries.set(String(url), response),
      keys: async () => [...entries.keys()].map(url => new Request(url)),
    };
  };
  const around = {
    storage: {open, keys: async () => [...caches.keys()], delete: async (name: string) => caches.delete(name)},
    fetch: async ({url}: Request) => {
      asked.push(url.slice(SCOPE.length));
      return absent.has(url.slice(SCOPE.length)) ? new Response('', {status: 404}) : new Response(url);
    },
    scope: SCOPE,
    progress: () => void progressed++,
  };
  return {around, asked, caches, progressed: () => progressed};
}

describe('what is kept', () => {
  it('is the lab without its documentation, until that is wanted', async () => {
    const {around, asked, progressed} = surroundings();
    const files = new KeptFiles(FILES, around);
    await files.keep('lab');
    expect(asked).toEqual(FILES.lab.paths);
    expect(await files.state()).toEqual({
      lab: {kept: 2, of: 2, bytes: 20},
      documentation: {kept: 0, of: 3, bytes: 30},
    });
    await files.keep('documentation');
    expect((await files.state()).documentation.kept).toBe(3);
    expect(progressed()).toBe(5);
    expect(await (await files.match(`${SCOPE}docs/tour.html`))?.text()).toBe(`${SCOPE}docs/tour.html`);
  });

  it('is asked for once, however often somebody wants it', async () => {
    const {around, asked} = surroundings();
    const files = new KeptFiles(FILES, around);
    await Promise.all([files.keep('documentation'), files.keep('documentation')]);
    await files.keep('documentation');
    expect(asked).toHaveLength(3);
  });

  it('goes on behind a file that could not be had', async () => {
    const absent = new Set(['docs/tour.html']);
    const {around, asked} = surroundings(absent);
    const files = new KeptFiles(FILES, around);
    await expect(files.keep('documentation')).rejects.toThrow('docs/tour.html was answered with 404');
    await new Promise(resolve => setTimeout(resolve));
    absent.clear();
    asked.length = 0;
    await files.keep('documentation');
    expect(asked).toEqual(['docs/tour.html']);
  });
});

describe('a new build', () => {
  it('forgets the files of the old one, and tells whether its documentation was among them', async () => {
    const {around, caches} = surroundings();
    await new KeptFiles(FILES, around).keep('documentation');
    await around.storage.open('hyperscope-0123456789abcdef');
    await around.storage.open('somebody-else');
    const next = new KeptFiles({...FILES, documentation: {...FILES.documentation, version: 'b2'}}, around);
    expect(await next.forgetOthers()).toBe('had documentation');
    expect([...caches.keys()].filter(name => !name.endsWith('a1') && !name.endsWith('b2'))).toEqual(['somebody-else']);
    expect(await next.forgetOthers()).toBe('had none');
  });
});
