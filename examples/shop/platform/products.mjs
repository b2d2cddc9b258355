import { pick, seededRandom } from './chance.mjs';

const wares = [
  { makes: ['Stoneware', 'Enamel', 'Glass'], things: ['mug', 'jug', 'bowl', 'teapot', 'butter dish'] },
  { makes: ['Copper', 'Enamel', 'Cast-iron'], things: ['kettle', 'saucepan', 'frying pan', 'casserole'] },
  { makes: ['Oak', 'Beech', 'Walnut'], things: ['bread board', 'stool', 'tray', 'spoon', 'shelf'] },
  { makes: ['Linen', 'Wool', 'Cotton'], things: ['blanket', 'apron', 'cushion', 'tablecloth'] },
];
const uses = [
  'for slow mornings',
  'for a crowded table',
  'for small kitchens',
  'that lasts',
  'for two',
  'for camping',
];
const cares = ['Wipe with a damp cloth.', 'Made to be mended.', 'Dry it at once.', 'Gets better with use.'];
const origins = [
  'Aveiro, Portugal',
  'Solingen, Germany',
  'Kutná Hora, Czechia',
  'Biella, Italy',
  'Sakai, Japan',
];

/** The assortment, the same in every run. About every twelfth product is scarce, so that some sell out. */
export const products = assortment(256);

function assortment(count) {
  const random = seededRandom('assortment');
  return Array.from({ length: count }, (_, index) => {
    const { makes, things } = pick(random, wares);
    const name = `${pick(random, makes)} ${pick(random, things)}`;
    const origin = pick(random, origins);
    return {
      sku: `SKU-${1001 + index}`,
      name,
      description: `${name} ${pick(random, uses)}, made in ${origin}. ${pick(random, cares)}`,
      price: { value: 900 + 10 * Math.floor(random() * 1200), currency: 'EUR' },
      weightGrams: 120 + 10 * Math.floor(random() * 300),
      rating: { stars: Math.round(34 + random() * 16) / 10, reviews: Math.floor(random() * 900) },
      image: `/images/sku-${1001 + index}.avif`,
      scarce: index % 12 === 7,
    };
  });
}
