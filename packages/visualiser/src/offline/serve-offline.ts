// How the lab answers when there is no network: which request is answered from what was kept, and when. No browser here, so that
// it can be tested: caches and fetch come in from outside.

/** Where a request is answered from. */
export type Source =
  /** Not ours to answer: the browser asks the network itself. */
  | 'leave'
  /** Its name carries a hash, so what was kept is what it is. */
  | 'kept first'
  /** What the network has is newer; what was kept is for when there is none. */
  | 'network first';

/** Paths of the server behind the page: they are about the moment, and are never kept. */
const LIVE = /^(?:api\/|healthz$|metrics$)/;

/**
 * Where the request for `url` is answered from.
 * @param scope - address of the folder that the lab lies in, with a slash at its end
 */
export function sourceOf(request: {readonly method: string; readonly url: string}, scope: string): Source {
  const {method, url} = request;
  if (method !== 'GET' || !url.startsWith(scope)) return 'leave';
  const path = url.slice(scope.length).replace(/[?#].*$/, '');
  if (LIVE.test(path)) return 'leave';
  return /(?:^|\/)assets\/[^/]*-[\w-]{8,}\.\w+$/.test(path) ? 'kept first' : 'network first';
}

/** What stands for a request among the files that were kept: without query and fragment, and a folder by its page. */
export function keptAs(url: string): string {
  const plain = url.replace(/[?#].*$/, '');
  return plain.endsWith('/') ? `${plain}index.html` : plain;
}

/** Where files are kept, and where they come from. */
export interface Surroundings {
  readonly kept: Pick<Cache, 'match'>;
  readonly fetch: (request: Request) => Promise<Response>;
}

/** The answer to a request that is not left alone. Rejects as `fetch` does where there is neither network nor a kept file. */
export async function answer(
  request: Request,
  source: Exclude<Source, 'leave'>,
  around: Surroundings,
): Promise<Response> {
  const kept = async (): Promise<Response | undefined> => around.kept.match(keptAs(request.url));
  if (source === 'kept first') return (await kept()) ?? around.fetch(request);
  try {
    return await around.fetch(request);
  } catch (error) {
    const file = await kept();
    if (file === undefined) throw error;
    return file;
  }
}
