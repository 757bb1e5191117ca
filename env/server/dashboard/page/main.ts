/** The page: it opens a server, or the file that it stands in, and shows one view of it at a time. */
import { App, type Change } from './app.ts';
import { h, say } from './dom.ts';
import { reportHere } from './report-source.ts';
import { loginForm } from './login.ts';
import { routeOf } from './route.ts';
import { ServerSource, TokenError, type PageSource } from './source.ts';
import { Shell } from './shell.ts';
import { apply as applyTheme } from './theme.ts';
import { keepToken, keptToken } from './token.ts';

applyTheme();
const main = h('main', { id: 'main', tabindex: '-1' });

async function open(token: string | undefined): Promise<void> {
  try {
    const source = await ServerSource.open(token);
    keepToken(token);
    await show(source);
  } catch (error) {
    if (error instanceof TokenError) return askForToken(token === undefined ? undefined : error.message, error.message);
    keepToken(token);
    document.body.replaceChildren(
      h('p', { class: 'trouble', role: 'alert' }, `The server cannot be reached: ${(error as Error).message}`),
      h('button', { type: 'button', click: () => void open(token) }, 'Try again'),
    );
  }
}

function askForToken(error: string | undefined, why: string): void {
  keepToken(undefined);
  document.body.replaceChildren(loginForm(why, error, (token) => void open(token)));
}

async function show(source: PageSource): Promise<void> {
  const app = new App(source);
  const shell = new Shell(app, main);
  document.body.replaceChildren(
    h(
      'a',
      { class: 'skip', href: '#main', click: (event) => (event.preventDefault(), main.focus()) },
      'To the content',
    ),
    shell.header,
    main,
    shell.status,
  );
  const go = () => shell.go(routeOf(location.hash));
  app.onChange = (change: Change) => shell.update(change);
  app.onTokenRefused = (error) => {
    app.close();
    shell.close();
    removeEventListener('hashchange', go);
    askForToken(error.message, error.message);
  };
  shell.onLogout = () => app.onTokenRefused(new TokenError('This server asks for a token.'));
  say(main, 'Loading …');
  await app.start();
  addEventListener('hashchange', go);
  go();
}

const report = reportHere();
if (report) void show(report);
else void open(keptToken());
