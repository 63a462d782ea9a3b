// Which files are kept for when there is no network, and keeping them: the lab at once, its documentation when somebody wants it. No
// service worker here, so that it can be tested: caches and fetch come in from outside.

/** Files that are kept together, of one build. */
export interface FileSet {
  /** Changes with the contents of any of them. */
  readonly version: string;
  /** Relative to the folder of the lab. */
  readonly paths: readonly string[];
  /** What they take, unpacked. */
  readonly bytes: number;
}

/** What the build says before the text of the service worker (packages/tools/offline-files.mjs). */
export interface OfflineFiles {
  readonly lab: FileSet;
  readonly documentation: FileSet;
}

/** How much of a set is kept. */
export interface Kept {
  readonly kept: number;
  readonly of: number;
  readonly bytes: number;
}

export interface OfflineState {
  readonly lab: Kept;
  readonly documentation: Kept;
}

export interface Storage {
  readonly open: (name: string) => Promise<Pick<Cache, 'match' | 'put' | 'keys'>>;
  readonly keys: () => Promise<readonly string[]>;
  readonly delete: (name: string) => Promise<boolean>;
}

export interface KeepingSurroundings {
  readonly storage: Storage;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Address of the folder of the lab. */
  readonly scope: string;
  /** Told after each file. */
  readonly progress: () => void;
}

const PREFIX = 'hyperscope-';
const DOCUMENTATION = `${PREFIX}documentation-`;
/** Files that are asked for at a time: few, because whoever looks at the page needs the network too. */
const AT_ONCE = 3;

/** The caches of one build. */
export class KeptFiles {
  readonly #files: OfflineFiles;
  readonly #around: KeepingSurroundings;
  readonly #going = new Map<keyof OfflineFiles, Promise<void>>();

  constructor(files: OfflineFiles, around: KeepingSurroundings) {
    this.#files = files;
    this.#around = around;
  }

  /** Keeps what of a set is not kept yet. Rejects at the first file that cannot be had; asked again it goes on from there. */
  async keep(set: keyof OfflineFiles): Promise<void> {
    const going = this.#going.get(set) ?? this.#keepAll(set).finally(() => this.#going.delete(set));
    this.#going.set(set, going);
    return going;
  }

  async state(): Promise<OfflineState> {
    const [lab, documentation] = await Promise.all([this.#kept('lab'), this.#kept('documentation')]);
    return {lab, documentation};
  }

  /** The kept file of an address. */
  async match(url: RequestInfo | URL): Promise<Response | undefined> {
    for (const set of ['lab', 'documentation'] as const) {
      const cache = await this.#around.storage.open(this.#name(set));
      const found = await cache.match(url);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Forgets what other builds have kept; gives whether the documentation was among it, so that it is wanted again. */
  async forgetOthers(): Promise<'had documentation' | 'had none'> {
    const {storage} = this.#around;
    const own = [this.#name('lab'), this.#name('documentation')];
    const others = (await storage.keys()).filter(name => name.startsWith(PREFIX) && !own.includes(name));
    let had: 'had documentation' | 'had none' = 'had none';
    for (const name of others) {
      if (name.startsWith(DOCUMENTATION) && (await (await storage.open(name)).keys()).length > 0) {
        had = 'had documentation';
      }
      await storage.delete(name);
    }
    return had;
  }

  #name(set: keyof OfflineFiles): string {
    return `${PREFIX}${set}-${this.#files[set].version}`;
  }

  async #kept(set: keyof OfflineFiles): Promise<Kept> {
    const cache = await this.#around.storage.open(this.#name(set));
    const {paths, bytes} = this.#files[set];
    return {kept: (await cache.keys()).length, of: paths.length, bytes};
  }

  async #keepAll(set: keyof OfflineFiles): Promise<void> {
    const {storage, fetch, scope, progress} = this.#around;
    const cache = await storage.open(this.#name(set));
    const waiting = this.#files[set].paths.map(path => new URL(path, scope).href);
    const keepSome = async (): Promise<void> => {
      for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
        if ((await cache.match(url)) !== undefined) continue;
        // The browser's own cache may hold a file of the build before.
        const response = await fetch(new Request(url, {cache: 'no-cache', priority: 'low'}));
        if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
        await cache.put(url, response);
        progress();
      }
    };
    await Promise.all(Array.from({length: AT_ONCE}, keepSome));
  }
}
