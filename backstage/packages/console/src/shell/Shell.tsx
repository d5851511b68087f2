import { Progress } from '@backstage/frontend-plugin-api';
import { Suspense } from 'react';
import { Navigate, Route, Routes } from 'react-router-dom';
import { FIRST_PAGE, PAGES } from '../pages';
import { RETURN_PATH } from '../session/settings';
import { Session } from '../session/Session';
import { Broken } from './Broken';
import { NotFound } from './NotFound';
import { TopBar } from './TopBar';
import styles from './Shell.module.css';

/** What is around each page, and the page that the address names. */
export function Shell({ session }: { session: Session }) {
  const first = <Navigate to={FIRST_PAGE.path} replace />;
  return (
    <>
      <a className={styles.skip} href="#page">
        Skip to the page
      </a>
      <TopBar session={session} />
      <main id="page" tabIndex={-1} className={styles.page}>
        <Broken>
          <Suspense fallback={<Progress />}>
            <Routes>
              {['/', '/console', RETURN_PATH].map(path => (
                <Route key={path} path={path} element={first} />
              ))}
              {PAGES.map(({ path, View }) => (
                <Route key={path} path={path} element={<View />} />
              ))}
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </Broken>
      </main>
    </>
  );
}
