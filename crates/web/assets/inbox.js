// Shows new messages as they come, and times in the reader's way.
const list = document.getElementById('messages');
const status = document.getElementById('status');
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const known = new Set([...list.children].map(item => item.dataset.id));

const tellTime = time => {
  const date = new Date(Number(time.dataset.ms));
  time.dateTime = date.toISOString();
  time.textContent = clock.format(date);
};
list.querySelectorAll('time').forEach(tellTime);

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

const item = message => {
  const time = element('time');
  time.dataset.ms = message.created_at;
  tellTime(time);
  const about = element('p', 'about',
    element('span', 'kind', message.kind === 'sms' ? 'SMS' : 'E-mail'), ' to ', element('span', 'to', message.to), ' · ', time);
  const code = element('p', 'code');
  if (message.code) code.append(element('code', '', message.code));
  if (message.link) {
    const link = element('a', '', message.link);
    link.href = message.link;
    link.rel = 'noreferrer';
    code.append(link);
  }
  const all = element('details', '', element('summary', '', 'All it says'), element('p', 'body', message.body));
  all.open = !message.code && !message.link;
  const made = element('li', 'new', element('article', '', element('h2', '', message.subject ?? 'SMS'), about, code, all));
  made.dataset.id = message.id;
  return made;
};

const ask = async query => {
  const response = await fetch(`${list.dataset.source}?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()).data;
};

const pause = milliseconds => new Promise(done => setTimeout(done, milliseconds));

for (;;) {
  const started = Date.now();
  try {
    const newest = list.firstElementChild?.dataset.id ?? '';
    await ask({ after: newest, wait: '10s' });
    // All of them: two that were sent at the same time need not have come in their order.
    const news = (await ask({})).filter(message => !known.has(message.id));
    for (const message of news.reverse()) {
      known.add(message.id);
      list.prepend(item(message));
    }
    if (news.length > 0) status.textContent = `New message to ${news.at(-1).to}`;
  } catch {
    status.textContent = 'The server does not answer; trying again';
    await pause(2000);
  }
  if (Date.now() - started < 250) await pause(250);
}
