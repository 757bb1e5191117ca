/** Move θ, and see the scenes change; evaluate it, as a step of a session of the page's own. */
import { deriveSeed } from '../../../../../protocol/random.ts';
import type { NamedTheta } from '../../answers.ts';
import { thetaControls } from '../controls.ts';
import { card, copyButton, fill, h, newId, say } from '../dom.ts';
import { digits, duration } from '../format.ts';
import { hashOf } from '../route.ts';
import { PageSession } from '../session.ts';
import type { PageView, RunPlace } from '../view.ts';
import { thetaAt, thetaOf } from './scenes.ts';
import { strips } from './strips.ts';

const PHASES: Readonly<Record<string, string>> = {
  queue: 'waits for a worker',
  simulate: 'draws its samples',
  train: 'trains',
  validate: 'is scored',
};

export function playgroundView({ app, data, route }: RunPlace): PageView {
  const { description } = data;
  const { run, parameters, shows } = description;
  if (!shows || parameters.some(({ kind, low }) => kind === 'continuous' && low === undefined)) {
    const why =
      description.unknown ??
      `${description.env_id} does not say how its samples are shown: an experiment says so with \`pictures\`.`;
    return {
      element: h(
        'div',
        { class: 'view' },
        card('Playground', { class: 'wide' }, h('p', {}, `There is nothing to play with here. ${why}`)),
      ),
      update: () => {},
    };
  }
  const place = route.step === undefined ? -1 : data.find(route.step);
  const start = thetaAt(data, place) ?? description.start ?? {};
  let seed: number = data.rows[place]?.seed ?? 1;
  let isLarge = true;
  let isClosed = false;

  const pictures = h('div', { class: 'strips' });
  const took = h('span', { class: 'note', role: 'status' });
  let isDrawing = false;
  let isStale = false;
  /** One drawing at a time; whatever has changed meanwhile is drawn next. */
  const draw = async () => {
    isStale = true;
    if (isDrawing) return;
    isDrawing = true;
    while (isStale && !isClosed) {
      isStale = false;
      const began = performance.now();
      try {
        // As an evaluation with this seed draws them.
        const own = deriveSeed(seed, 'simulation');
        const all = await app.source.pictures({ run, theta: controls.theta, seed: own, large: isLarge });
        if (isClosed) break;
        fill(pictures, strips(all));
        say(took, `drawn in ${duration(performance.now() - began)}`);
      } catch (error) {
        say(took, (error as Error).message);
      }
    }
    isDrawing = false;
  };
  const controls = thetaControls(parameters, start, () => void draw());
  const use = (theta: NamedTheta | undefined) => {
    if (!theta) return;
    controls.set(theta);
    void draw();
  };
  const presets: [string, () => NamedTheta | undefined][] = [
    ['Start', () => description.start],
    ['Default', () => description.default],
    ['Best so far', () => thetaOf(data, 'best')],
    ...(data.notes.some(({ mean }) => mean !== undefined)
      ? [['Policy', () => thetaOf(data, 'policy')] as [string, () => NamedTheta | undefined]]
      : []),
    ...(description.truth ? [['Hidden θ', () => description.truth] as [string, () => NamedTheta | undefined]] : []),
  ];
  const [filter, seedId, sizeId] = [newId(), newId(), newId()];
  const words = h('input', {
    ...{ id: filter, type: 'search', placeholder: 'fog, weather …', spellcheck: 'false' },
    input: () => controls.filter(words.value.trim()),
  });
  const seedField = h('input', {
    ...{ id: seedId, type: 'number', min: 0, max: 0xffff_ffff, step: 1, value: seed },
    change: () => setSeed(Number(seedField.value)),
  });
  const setSeed = (next: number) => {
    if (Number.isInteger(next) && next >= 0 && next <= 0xffff_ffff) seed = next;
    seedField.value = String(seed);
    void draw();
  };
  const large = h('input', {
    ...{ id: sizeId, type: 'checkbox', checked: true },
    change: () => {
      isLarge = large.checked;
      void draw();
    },
  });
  const hasSize = typeof description.options['width'] === 'number' && typeof description.options['height'] === 'number';
  const size = `${String(description.options['width'])} × ${String(description.options['height'])}`;
  const evaluation = evaluationPanel({ app, data, route }, () => ({ theta: controls.theta, seed }));
  const element = h(
    'div',
    { class: 'view playground' },
    card(
      'θ',
      { class: 'third' },
      h(
        'div',
        { class: 'row' },
        presets.map(([name, theta]) => h('button', { type: 'button', click: () => use(theta()) }, name)),
      ),
      h('label', { class: 'field', for: filter }, h('span', {}, 'Find'), words),
      controls.element,
    ),
    h(
      'div',
      { class: 'two-thirds stack' },
      card(
        'Samples',
        {},
        h(
          'div',
          { class: 'row' },
          h('label', { class: 'field', for: seedId }, h('span', {}, 'Seed'), seedField),
          h('button', { type: 'button', click: () => setSeed((seed + 1) % 2 ** 32) }, 'Next seed'),
          hasSize && h('label', { class: 'field', for: sizeId }, large, `larger than the models see (${size})`),
          took,
        ),
        pictures,
      ),
      evaluation.element,
    ),
  );
  void draw();
  return {
    element,
    update: () => {},
    close() {
      isClosed = true;
      evaluation.close();
    },
  };
}

/** Evaluates θ, step by step, and lists what came of it. */
function evaluationPanel({ app, data }: RunPlace, chosen: () => { theta: NamedTheta; seed: number }) {
  const { env_id, options, reward } = data.description;
  let session: Promise<PageSession> | undefined;
  const list = h('ol', { class: 'results' });
  const says = h('p', { class: 'note', role: 'status' });
  const may = app.may('agent');
  const open = () => {
    session ??= PageSession.open(env_id, options, app.server!.auth).then((opened) => {
      opened.onEnd = () => (session = undefined);
      return opened;
    });
    session.catch(() => (session = undefined));
    return session;
  };
  const evaluate = async () => {
    const { theta, seed } = chosen();
    say(says, '');
    let opened: PageSession;
    try {
      opened = await open();
    } catch (error) {
      return say(says, (error as Error).message);
    }
    const bar = h('progress', { max: 1, 'aria-label': 'How far the evaluation is' });
    const text = h('span', {}, 'begins');
    const stop = h('button', { type: 'button', class: 'quiet' }, 'Cancel');
    const item = h('li', {}, text, bar, stop);
    list.prepend(item);
    const { step, result } = opened.evaluate({ theta, seed }, ({ phase, fraction, eta_ms }) => {
      bar.value = fraction;
      const left = eta_ms === undefined ? '' : `, about ${duration(eta_ms)} left`;
      say(text, `${PHASES[phase] ?? phase}, ${Math.round(100 * fraction)} %${left}`);
    });
    stop.addEventListener('click', () => opened.cancel(step));
    try {
      const { outcome, reward: value, reason, seed: used } = await result;
      const words = value === null ? `${outcome}: ${reason ?? ''}` : `${reward} ${digits(value, 5)}`;
      fill(
        item,
        h('a', { href: hashOf('evaluation', opened.runId, step) }, words),
        h('span', { class: 'note' }, `seed ${used}`),
      );
    } catch (error) {
      fill(item, h('span', { class: 'trouble' }, (error as Error).message));
    }
  };
  const element = card(
    'Evaluate this θ',
    {},
    h(
      'p',
      { class: 'note' },
      may
        ? 'A model is trained on its samples and scored, in its turn with the evaluations of all agents. It stays in the history, as a run of its own.'
        : 'You may watch here. To evaluate takes the token of an agent.',
    ),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', class: 'primary', disabled: !may, click: () => void evaluate() }, 'Evaluate'),
      copyButton('Copy θ as JSON', () => JSON.stringify(chosen().theta)),
    ),
    says,
    list,
  );
  return {
    element,
    close: () => void session?.then((opened) => opened.close()).catch(() => {}),
  };
}
