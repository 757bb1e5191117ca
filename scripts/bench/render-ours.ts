/** One contender of `bench render`, in its own process like the peers: `render-ours.ts RENDERER SCENE WIDTH HEIGHT SECONDS`. */
import { createRenderer } from '../../env/render/create-renderer.ts';
import { withFrame, type Renderer } from '../../env/render/renderer.ts';
import { SoftwareRenderer } from '../../env/render/software/software-renderer.ts';
import { linearToSrgb } from '../../env/render/srgb.ts';
import { TRAFFIC_PARAMETERS, type TrafficTheta } from '../../env/simulators/traffic/parameters.ts';
import { drawScene } from '../../env/simulators/traffic/scene.ts';
import { trafficSimulator } from '../../env/simulators/traffic/traffic.ts';
import { defaultTheta } from '../../protocol/parameters.ts';
import { boxScene } from './box-scene.ts';
import { perSecond } from './rounds.ts';

/** Draws image `i`. */
type Draw = (i: number) => void;

/** Turns a frame into sRGB bytes: by the software renderer itself, which is faster, or from any renderer's linear light. */
function bytesOf(renderer: Renderer, width: number, height: number): (frame: ReturnType<Renderer['draw']>) => void {
  if (renderer instanceof SoftwareRenderer) return () => void renderer.srgb();
  const bytes = new Uint8Array(width * height * 3);
  return (frame) => void withFrame(frame, ({ linear }) => linearToSrgb(linear, bytes));
}

/** The boxes that the peers draw too, as sRGB bytes, class and instance ids, and depth. */
function boxes(renderer: Renderer, width: number, height: number, antialias: boolean): Draw {
  const { scene, camera, move } = boxScene(width, height);
  const develop = bytesOf(renderer, width, height);
  return (i) => {
    move(i);
    develop(renderer.draw(scene, camera, { width, height, antialias }));
  };
}

/** Streets that are built in advance, at the simulator's default θ: only the drawing is measured. */
function trafficDrawing(renderer: Renderer, width: number, height: number): Draw {
  const theta = defaultTheta(TRAFFIC_PARAMETERS) as unknown as TrafficTheta;
  const streets = Array.from({ length: 16 }, (_, seed) => drawScene(theta, seed, { width, height }));
  const develop = bytesOf(renderer, width, height);
  return (i) => {
    const { scene, camera } = streets[i % streets.length]!;
    develop(renderer.draw(scene, camera, { width, height }));
  };
}

/** Whole samples of the traffic simulator: for each, another street is built, drawn and developed. */
function traffic(renderer: Renderer, width: number, height: number, antialias: boolean): Draw {
  const simulator = trafficSimulator({ width, height, antialias, renderer });
  const set = simulator.open({}, 1);
  return (i) => void set.draw(i);
}

const SCENES: Record<string, (renderer: Renderer, width: number, height: number) => Draw> = {
  boxes: (renderer, width, height) => boxes(renderer, width, height, false),
  'boxes-antialiased': (renderer, width, height) => boxes(renderer, width, height, true),
  'traffic-drawing': trafficDrawing,
  traffic: (renderer, width, height) => traffic(renderer, width, height, true),
  'traffic-plain': (renderer, width, height) => traffic(renderer, width, height, false),
};
/** Draws before the measurement, for the just-in-time compilers: JavaScript's, and a driver's of its shaders. */
const WARM_UP = { software: 150, webgl: 30 };

const [drawnBy = '', name = '', ...rest] = process.argv.slice(2);
if (drawnBy !== 'software' && drawnBy !== 'webgl') {
  throw new RangeError(`renderer: expected software or webgl, got "${drawnBy}"`);
}
const [width = NaN, height = NaN, seconds = NaN] = rest.map(Number);
const scene = SCENES[name];
if (scene === undefined) throw new RangeError(`scene: expected ${Object.keys(SCENES).join(', ')}, got "${name}"`);
const draw = scene(createRenderer(drawnBy), width, height);
for (let i = 0; i < WARM_UP[drawnBy]; i++) draw(i);
let count = 0;
const tenImages = () => {
  for (let i = 0; i < 10; i++) draw(count++); // reading the time takes time too
};
console.log(10 * (await perSecond(tenImages, seconds))); // CPU time, since other programs on the machine affect it less
