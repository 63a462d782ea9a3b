// Somebody's plain web server: files of a folder under a path, a folder by its index.html, and 404 for everything else.

import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

export interface StaticServer {
  /** `http://127.0.0.1:<port>`. */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves `folder` (relative to this file) under `prefix`, on a port that is free. */
export async function serveStatic(folder: string, prefix: string): Promise<StaticServer> {
  const root = join(import.meta.dirname, folder);
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url ?? '/', 'http://localhost');
    const inside = pathname.startsWith(prefix) ? normalize(`/${pathname.slice(prefix.length)}`) : '/absent';
    const path = join(root, inside.endsWith('/') ? `${inside}index.html` : inside);
    readFile(path).then(
      bytes => response.writeHead(200, {'content-type': TYPES[extname(path)] ?? 'application/octet-stream'}).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    });
  });
  return {
    address: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
