/** What the latest model of a run predicts for validation samples: asked for while the run goes on, and this is in sight. */
import type { RunData } from '../../analysis/run-data.ts';
import type { App } from '../app.ts';
import { card, fill, h, say } from '../dom.ts';
import { hashOf } from '../route.ts';
import { shortName } from './evaluations.ts';
import { strips } from './strips.ts';

const ASK_MS = 4000;

export function predictionsCard(app: App, { description: { run } }: RunData) {
  const pictures = h('div', { class: 'strips' });
  const says = h('p', { class: 'note' }, 'The next evaluation that begins shows here what its model has learned.');
  const element = card('What the latest model predicts', { class: 'wide' }, says, pictures);
  element.hidden = true;
  let known: string | undefined;
  let isSeen = false;
  let isAsking = false;
  const ask = async () => {
    if (!isSeen || isAsking || document.hidden) return;
    isAsking = true;
    try {
      const prediction = await app.server!.latestPrediction(run, known);
      if (!prediction) return;
      const { step, shown } = prediction;
      known = step;
      const link = h('a', { href: hashOf('evaluation', run, step) }, shortName(step));
      if (typeof shown === 'string') return fill(says, 'The model of ', link, ` shows nothing: ${shown}.`);
      fill(says, 'Of the evaluation ', link, ', for images or points that it was not trained on.');
      fill(pictures, strips(shown));
    } catch (error) {
      if (known === undefined) say(says, (error as Error).message); // else the next time may go better
    } finally {
      isAsking = false;
    }
  };
  const seen = new IntersectionObserver(
    (entries) => {
      isSeen = entries.some(({ isIntersecting }) => isIntersecting);
      void ask();
    },
    { rootMargin: '200px' },
  );
  seen.observe(element);
  const timer = setInterval(() => void ask(), ASK_MS);
  return {
    element,
    /** A run that has ended trains no model any more; what was shown stays. */
    update() {
      const isLive = app.frame?.runs.some((live) => live.run === run) ?? false;
      element.hidden = !isLive && known === undefined;
    },
    close() {
      clearInterval(timer);
      seen.disconnect();
    },
  };
}
