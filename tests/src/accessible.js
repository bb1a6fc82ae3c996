// What a page breaks of WCAG 2.2 AA, as far as a script can tell: a list of
// sentences. Evaluated in the page; leaves the page as it was.
(() => {
  const found = [];
  const name = (it) => {
    const text = (it.innerText || it.getAttribute('aria-label') || it.name || '').trim();
    return `<${it.tagName.toLowerCase()}${it.id ? '#' + it.id : ''}> "${text.slice(0, 40)}"`;
  };
  const visible = (it) => {
    const box = it.getBoundingClientRect();
    const hidden = it.closest('details:not([open])') && !it.closest('summary');
    return box.width > 1 && box.height > 1 && box.right > 0 && !hidden
      && getComputedStyle(it).visibility === 'visible';
  };

  // 1.4.3 and 1.4.11: contrast of text with what lies behind it.
  const colour = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a),
    g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a),
    a: 1,
  });
  const behind = (it) => {
    const layers = [];
    for (let at = it; at; at = at.parentElement) {
      const layer = colour(getComputedStyle(at).backgroundColor);
      if (layer.a > 0) layers.push(layer);
      if (layer.a === 1) break;
    }
    const paper = { r: 255, g: 255, b: 255, a: 1 };
    return layers.reverse().reduce((under, top) => over(top, under), paper);
  };
  const luminance = ({ r, g, b }) => {
    const linear = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const judged = new Set();
  while (texts.nextNode()) {
    const it = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || judged.has(it) || !visible(it)) continue;
    judged.add(it);
    const style = getComputedStyle(it);
    const ground = behind(it);
    const ink = over(colour(it instanceof SVGElement ? style.fill : style.color), ground);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = contrast(ink, ground);
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)} of ${name(it)}`);
  }

  // 1.3.1, 4.1.2: fields, buttons, links and drawings have names.
  for (const it of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    const label = (it.labels && it.labels.length > 0) || it.getAttribute('aria-label')
      || it.getAttribute('aria-labelledby');
    if (!label) found.push(`no label for ${name(it)}`);
    const told = it.getAttribute('aria-describedby');
    if (told && !document.getElementById(told)) found.push(`nothing describes ${name(it)}`);
  }
  for (const it of document.querySelectorAll('a[href], button, summary, [role=img], [role=region]')) {
    const named = (it.textContent || '').trim() || it.getAttribute('aria-label')
      || it.getAttribute('aria-labelledby');
    if (!named) found.push(`no name for ${name(it)}`);
  }
  for (const it of document.querySelectorAll('table')) {
    if (!it.querySelector('th[scope]')) found.push('a table without headed columns');
  }

  // 2.1.1: what is pushed sideways can be pushed with keys.
  for (const it of document.querySelectorAll('.scroll')) {
    if (it.tabIndex < 0) found.push(`no keys push ${name(it)}`);
  }

  // 1.3.1, 2.4.6: headings go down one step at a time, from one first.
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')];
  const first = levels.filter((it) => it.tagName === 'H1').length;
  if (first !== 1) found.push(`${first} first headings`);
  let before = 0;
  for (const it of levels) {
    const level = Number(it.tagName[1]);
    if (level > before + 1) found.push(`a step from h${before} to ${name(it)}`);
    before = level;
  }

  // 3.1.1, 4.1.1: the language is said, no id is there twice.
  if (!document.documentElement.lang) found.push('no language');
  const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => found.push(`two of #${id}`));

  // 1.4.10: nothing but tables and maps is pushed sideways.
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push(`${wide} pixels too wide`);

  // 2.5.8: what is pressed has 24 pixels, or that much room around it.
  const pressed = [...document.querySelectorAll('a[href], button, summary, select, textarea, input:not([type=hidden])')]
    .filter(visible)
    .map((it) => {
      const boxed = ['checkbox', 'radio'].includes(it.type) && it.closest('label');
      return { it, box: (boxed || it).getBoundingClientRect() };
    });
  const inSentence = (it) => getComputedStyle(it).display === 'inline'
    && it.parentElement.innerText.trim().length > it.innerText.trim().length;
  for (const { it, box } of pressed) {
    if ((box.width >= 24 && box.height >= 24) || it.closest('svg') || inSentence(it)) continue;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const crowded = pressed.some(({ it: other, box: its }) => {
      if (other === it || other.contains(it) || it.contains(other)) return false;
      const [dx, dy] = [Math.max(its.left - x, 0, x - its.right), Math.max(its.top - y, 0, y - its.bottom)];
      return Math.hypot(dx, dy) < 12;
    });
    if (crowded) found.push(`${Math.round(box.width)}x${Math.round(box.height)} pixels for ${name(it)}`);
  }

  // 2.4.7: who goes by keyboard sees where they are.
  const stood = document.activeElement;
  for (const { it } of pressed) {
    it.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== it) continue;
    const style = getComputedStyle(it);
    const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    if (!ring && !it.closest('svg')) found.push(`no focus on ${name(it)}`);
  }
  if (stood && stood.focus) stood.focus({ preventScroll: true }); else document.activeElement.blur();
  return [...new Set(found)];
})()
