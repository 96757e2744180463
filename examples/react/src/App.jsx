import { Show, SignInButton, SignUpButton, UserButton, useAuth, useUser } from '@clerk/react';
import { useState } from 'react';

export default function App() {
  return (
    <>
      <header>
        <strong>My application</strong>
        <Show when="signed-out">
          <SignInButton mode="modal" />
          <SignUpButton mode="modal" />
        </Show>
        <Show when="signed-in">
          <UserButton />
        </Show>
      </header>
      <main>
        <Show when="signed-out">
          <p>Nobody is signed in.</p>
        </Show>
        <Show when="signed-in">
          <Welcome />
        </Show>
      </main>
    </>
  );
}

function Welcome() {
  const { user } = useUser();
  const { getToken } = useAuth();
  const [answer, setAnswer] = useState('');

  const ask = async () => {
    const response = await fetch('/api/me', { headers: { Authorization: `Bearer ${await getToken()}` } });
    setAnswer(JSON.stringify(await response.json(), null, 2));
  };

  return (
    <>
      <p>You are {user.primaryEmailAddress?.emailAddress ?? user.id}.</p>
      <button onClick={ask}>Ask the back end</button>
      <pre>{answer}</pre>
    </>
  );
}
