// A site that works from any folder of any server. VitePress writes the folder of the site into every page; here it writes a name
// that stands for the folder instead, and each page puts its own folder in that name's place: in addresses of the HTML by making
// them relative, in scripts when they run.

import type {UserConfig} from 'vitepress';

/** Stands for the folder of the lab, wherever it is served; the documentation lies in `docs/` of it. */
export const HOME = '/home-of-the-lab/';

type Plugin = Extract<NonNullable<NonNullable<UserConfig['vite']>['plugins']>[number], {readonly name: string}>;
type Text = Readonly<{start: number; end: number; value: string}>;

/** Global name under which a page keeps the path of its lab's folder. */
const KEPT = '__HYPERSCOPE_HOME__';

/**
 * Run once the page is there and before any module: its links become absolute, as VitePress expects, which changes the page's address
 * and keeps the elements. The icon is one of them: a browser looks for it again at each address.
 */
const PLACE_LINKS =
  `for(const e of document.querySelectorAll('a[href^="."],link[rel="icon"]')){` +
  `const u=new URL(e.href);e.setAttribute('href',u.pathname+u.search+u.hash)}`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Every string of a syntax tree, or part of a template, in which HOME stands. */
function homesIn(node: unknown, found: Text[] = []): readonly Text[] {
  if (!isObject(node)) return found;
  const {type, value, start, end} = node;
  const text = type === 'TemplateElement' && isObject(value) ? value['cooked'] : value;
  if (typeof text === 'string' && text.includes(HOME) && typeof start === 'number' && typeof end === 'number') {
    if (type === 'Literal' || type === 'TemplateElement') found.push({start, end, value: text});
  }
  for (const child of Object.values(node)) homesIn(child, found);
  return found;
}

/** A script in which each string that has HOME in it says where HOME is when the script runs. */
export function scriptForAnyFolder(code: string, parse: (code: string) => unknown): string {
  let out = code;
  for (const {start, end, value} of [...homesIn(parse(code))].sort((a, b) => b.start - a.start)) {
    const placed = `${JSON.stringify(value)}.replaceAll(${JSON.stringify(HOME)},globalThis.${KEPT})`;
    // A template element lies between backquotes or braces; a literal has its quotes.
    const isLiteral = /["']/.test(code.charAt(start));
    out = out.slice(0, start) + (isLiteral ? `(${placed})` : `\${${placed}}`) + out.slice(end);
  }
  return out;
}

/**
 * A page in which every address is relative.
 * @param path - of the page below the site, with slashes: `decisions/0001.html`
 */
export function pageForAnyFolder(html: string, path: string): string {
  const up = '../'.repeat(path.split('/').length);
  const find = `<script>globalThis.${KEPT}=new URL(${JSON.stringify(up)},document.baseURI).pathname</script>`;
  return html
    .replace(/<head>/, `<head>\n    ${find}`)
    .replaceAll(new RegExp(`(\\s(?:href|src)=")${HOME}`, 'g'), `$1${up}`)
    .replace(
      /__VP_SITE_DATA__=JSON\.parse\(("(?:[^"\\]|\\.)*")\)/,
      (_, text: string) =>
        `__VP_SITE_DATA__=JSON.parse(${text}.replaceAll(${JSON.stringify(HOME)},globalThis.${KEPT}));${PLACE_LINKS}`,
    );
}

/** Rewrites scripts and styles of the site as they are written; HTML is rendered afterwards, by `transformHtml`. */
export function anyFolder(): Plugin {
  let isServer = false;
  return {
    name: 'any-folder',
    enforce: 'post',
    configResolved: config => {
      isServer = Boolean(config.build.ssr);
    },
    generateBundle(_options, bundle) {
      if (isServer) return;
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk' && file.code.includes(HOME))
          file.code = scriptForAnyFolder(file.code, code => this.parse(code));
        if (file.type === 'asset' && file.fileName.endsWith('.css'))
          file.source = String(file.source).replaceAll(`${HOME}docs/assets/`, './');
      }
    },
  };
}
