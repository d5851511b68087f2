import '@testing-library/jest-dom';
import { configure } from '@testing-library/react';

// No test fails because a machine is slow.
configure({ asyncUtilTimeout: 20_000 });
jest.setTimeout(120_000);
