// An app whose requests Vestry authenticates. Set CLERK_SECRET_KEY, CLERK_PUBLISHABLE_KEY and CLERK_API_URL
// to what `vestry dev` prints; without PORT a free one is taken and printed.
import { clerkMiddleware, getAuth, requireAuth } from '@clerk/express';
import express from 'express';

const app = express();
app.use(clerkMiddleware());

// An API: 401 for who is not signed in.
app.get('/api/me', (request, response) => {
  const { userId, sessionId } = getAuth(request);
  if (!userId) return response.status(401).json({ error: 'unauthenticated' });
  response.json({ userId, sessionId });
});

// A page: who is not signed in is sent to sign in.
app.get('/account', requireAuth({ signInUrl: '/sign-in' }), (request, response) => response.send(getAuth(request).userId));

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
