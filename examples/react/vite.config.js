import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

export default defineConfig(({ mode }) => {
  const { CLERK_API_URL, PORT = '3000' } = loadEnv(mode, process.cwd(), '');
  return {
    plugins: [react()],
    // Pages ask one origin: Vestry is behind /__clerk, the back end behind /api.
    server: { proxy: { '/__clerk': CLERK_API_URL, '/api': `http://127.0.0.1:${PORT}` } },
  };
});
