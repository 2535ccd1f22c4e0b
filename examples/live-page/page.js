// Shows each lot as the events tell it. The browser reconnects by itself, and asks for what came after the last event it saw.
const lots = new Map();
const money = (cents) => (cents / 100).toLocaleString('en', { style: 'currency', currency: 'EUR' });
const find = (selector, parent = document) => parent.querySelector(selector);

new EventSource('/events').onmessage = ({ data: text }) => {
  const { type, data } = JSON.parse(text);
  if (type === 'lot_opened') lots.set(data.lot, { ...data, prices: [], card: addCard(data) });
  const lot = lots.get(data.lot);
  if (data.cents !== undefined) lot.prices.push(data.cents);
  if (type === 'bid_placed') lot.bidder = data.bidder;
  if (type === 'lot_closed') lot.card.classList.add('closed');
  show(lot, type);
};

function addCard({ lot, title }) {
  const card = find('template').content.cloneNode(true).firstElementChild;
  find('h2', card).textContent = title;
  find('button', card).onclick = () => bid(lot);
  find('#lots').prepend(card);
  return card;
}

function show({ card, prices, bidder }, type) {
  const [first, last] = [prices[0], prices.at(-1)];
  find('output', card).textContent = money(last);
  find('p', card).textContent =
    `${card.classList.contains('closed') ? 'sold to' : 'held by'} ${bidder ?? 'nobody'}`;
  const x = (index) => (100 * index) / Math.max(1, prices.length - 1);
  const y = (cents) => 95 - (90 * (cents - first)) / Math.max(1, last - first);
  find('polyline', card).setAttribute(
    'points',
    prices.map((cents, index) => `${x(index)},${y(cents)}`).join(' '),
  );
  if (type === 'bid_placed') find('output', card).animate({ color: ['#ffd166', '#e8eaf0'] }, 800);
}

async function bid(lot) {
  const cents = Math.ceil(lots.get(lot).prices.at(-1) * 1.1);
  const body = JSON.stringify({ lot, bidder: find('#bidder').value, cents });
  const response = await fetch('/bids', { method: 'POST', body });
  find('#problem').textContent = response.ok ? '' : await response.text();
}
