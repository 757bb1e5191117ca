/** Scenes of the θ that a search is at: drawn anew when it has moved, while they are in sight. */
import { namedTheta } from '../../analysis/columns.ts';
import type { RunData } from '../../analysis/run-data.ts';
import type { NamedTheta } from '../../answers.ts';
import type { App } from '../app.ts';
import { card, choice, h, say } from '../dom.ts';
import { hashOf } from '../route.ts';
import { picturesOf } from './strips.ts';

/** Scenes are drawn again at most this often: drawing takes a share of a processor. */
const DRAW_MS = 15_000;
const SEED = 1;

type Which = 'policy' | 'best' | 'latest' | 'truth';

/** The θ that is meant, where there is one. */
export function thetaOf(data: RunData, which: Which): NamedTheta | undefined {
  if (which === 'truth') return data.description.truth;
  if (which === 'policy') {
    const mean = data.notes.findLast((note) => note.mean !== undefined)?.mean;
    return mean && normalised(namedTheta(data.columns, mean));
  }
  return thetaAt(data, which === 'best' ? data.best() : data.rows.length - 1);
}

/** The θ of a row, to 6 digits. */
export function thetaAt(data: RunData, place: number): NamedTheta | undefined {
  const row = data.rows[place];
  return row && normalised(namedTheta(data.columns, row.theta));
}

/** Probabilities that sum to 1 again: those of a row are rounded. */
function normalised(theta: NamedTheta): NamedTheta {
  const whole = (value: NamedTheta[string]) => {
    if (!Array.isArray(value)) return value;
    const total = (value as number[]).reduce((sum, each) => sum + each, 0);
    return (value as number[]).map((each) => each / total);
  };
  return Object.fromEntries(Object.entries(theta).map(([name, value]) => [name, whole(value)]));
}

export function scenesCard(app: App, data: RunData) {
  const { run, shows, unknown } = data.description;
  if (!shows) {
    const why = unknown ?? 'This environment does not say how its samples are shown (`pictures` of its experiment).';
    const element = card('Scenes', { class: 'wide' }, h('p', { class: 'note' }, why));
    return { element, update: () => {}, close: () => {} };
  }
  const words: Record<Which, string> = {
    policy: 'the mean of the policy',
    best: 'the best evaluation',
    latest: 'the latest evaluation',
    truth: 'the hidden θ',
  };
  const hasPolicy = data.notes.some(({ mean }) => mean !== undefined);
  let which: Which = hasPolicy ? 'policy' : 'best';
  const strips = h('div', { class: 'strips' });
  const more = h('a', { href: '#' }, 'What its model predicts');
  const says = h('span', { class: 'note', role: 'status' });
  const offered = (Object.keys(words) as Which[]).filter((each) => each !== 'truth' || data.description.truth);
  const select = choice(
    'of',
    offered.map((each) => [each, words[each]] as const),
    which,
    (value) => {
      which = value;
      drawnKey = '';
      drawnAt = -Infinity;
      soon();
    },
  );
  const element = card('Scenes', { class: 'wide' }, h('div', { class: 'row' }, select, more, says), strips);
  let isSeen = false;
  let isDrawing = false;
  let drawnAt = -Infinity;
  let drawnKey = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = async () => {
    timer = undefined;
    const theta = thetaOf(data, which);
    const key = JSON.stringify(theta);
    const best = data.rows[which === 'latest' ? data.rows.length - 1 : data.best()];
    more.hidden = !best || which === 'policy' || which === 'truth';
    if (best) more.href = hashOf('evaluation', run, best.step_id);
    say(says, theta ? '' : 'There is none yet.');
    if (!theta) strips.replaceChildren();
    if (!theta || key === drawnKey || !isSeen || isDrawing || document.hidden) return;
    isDrawing = true;
    drawnKey = key;
    drawnAt = performance.now();
    if (strips.childElementCount === 0) say(says, 'They are drawn …');
    await picturesOf(strips, () => app.source.pictures({ run, theta, seed: SEED, large: true }));
    isDrawing = false;
    say(says, '');
    if (JSON.stringify(thetaOf(data, which)) !== key) soon(); // something else was chosen meanwhile
  };
  const soon = () => {
    timer ??= setTimeout(() => void draw(), Math.max(0, drawnAt + DRAW_MS - performance.now()));
  };
  const seen = new IntersectionObserver(
    (entries) => {
      isSeen = entries.some(({ isIntersecting }) => isIntersecting);
      if (isSeen) soon();
    },
    { rootMargin: '200px' },
  );
  seen.observe(element);
  return {
    element,
    update: soon,
    close() {
      clearTimeout(timer);
      seen.disconnect();
    },
  };
}
