// Copy buttons. Without this script everything can still be read and selected.
const status = document.getElementById('status');
for (const button of document.querySelectorAll('button[data-copies]')) {
  button.addEventListener('click', async () => {
    const texts = button.dataset.copies.split(' ').map(id => document.getElementById(id).textContent);
    const label = button.firstChild;
    const said = label.data;
    try {
      await navigator.clipboard.writeText(texts.filter(Boolean).join('\n'));
      label.data = 'Copied';
      status.textContent = 'Copied';
    } catch {
      label.data = 'Select it by hand';
      status.textContent = 'The browser does not allow copying';
    }
    setTimeout(() => { label.data = said; status.textContent = ''; }, 1500);
  });
}
