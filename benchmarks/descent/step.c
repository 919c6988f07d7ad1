/* Gradient descent on a dense network N0-N1-N2 in batches of M, float32, one core: the floor for sgd-small and sgd-100.

   Sigmoid hidden layer, softmax outputs, log-likelihood; W is (out, in). Sizes are constants, so that the loops below
   unroll; V is one vector register's worth of floats (gcc splits it where the processor's are shorter). N0 must be a
   multiple of 16. Two neurons are taken at a time: 2 M accumulators on the way forward, 2 M factors on the way back. */
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float V __attribute__((vector_size(64), aligned(64)));
#define WIDE (N0 / 16)

static inline float exponential(float z)
{
    /* 2^k e^r by a polynomial of degree 6, |r| <= ln(2)/2: 1e-7 relative; gcc vectorises the loops that call it. */
    float t, k, r, p;
    union { int32_t i; float f; } two;
    z = z < -87.0f ? -87.0f : (z > 87.0f ? 87.0f : z);
    t = z * 1.44269504f;
    k = (float)(int32_t)(t + (t < 0 ? -0.5f : 0.5f));
    r = (z - k * 0.693359375f) + k * 2.12194440e-4f;
    p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    two.i = ((int32_t)k + 127) << 23;
    return p * two.f;
}

static inline float sum(V v)
{
    float s = 0;
    for (int i = 0; i < 16; i++) s += v[i];
    return s;
}

/* One pass over `steps` batches of the rows named in `order`; X is (N, N0), Y is (N, N2), W1 (N1, N0), W2 (N2, N1). */
void descend(const float *X, const float *Y, const int32_t *order, int steps, float eta,
             float *restrict W1, float *restrict b1, float *restrict W2, float *restrict b2)
{
    static float a1[N1][M] __attribute__((aligned(64))), d1[N1][M] __attribute__((aligned(64)));
    static float a2[N2][M] __attribute__((aligned(64))), d2[N2][M] __attribute__((aligned(64)));
    const float s = eta / M;
    for (int step = 0; step < steps; step++) {
        const V *x[M];
        const float *y[M];
        for (int i = 0; i < M; i++) {
            x[i] = (const V *)(X + (size_t)order[step * M + i] * N0);
            y[i] = Y + (size_t)order[step * M + i] * N2;
        }
        /* z = W a + b, a = sigma(z) */
        for (int j = 0; j < N1; j += 2) {
            const V *w0 = (const V *)(W1 + (size_t)j * N0), *w1 = w0 + WIDE;
            V z0[M], z1[M];
            for (int i = 0; i < M; i++) z0[i] = z1[i] = (V){0};
            for (int c = 0; c < WIDE; c++) {
                V u = w0[c], v = w1[c];
#pragma GCC unroll 16
                for (int i = 0; i < M; i++) {
                    z0[i] += u * x[i][c];
                    z1[i] += v * x[i][c];
                }
            }
            for (int i = 0; i < M; i++) {
                a1[j][i] = sum(z0[i]) + b1[j];
                a1[j + 1][i] = sum(z1[i]) + b1[j + 1];
            }
        }
        for (int q = 0; q < N1 * M; q++) (&a1[0][0])[q] = 1.0f / (1.0f + exponential(-(&a1[0][0])[q]));
        for (int k = 0; k < N2; k++) {
            float z[M];
            for (int i = 0; i < M; i++) z[i] = b2[k];
            for (int j = 0; j < N1; j++)
                for (int i = 0; i < M; i++) z[i] += W2[k * N1 + j] * a1[j][i];
            for (int i = 0; i < M; i++) a2[k][i] = z[i];
        }
        float top[M], total[M];
        memcpy(top, a2[0], sizeof top);
        for (int k = 1; k < N2; k++)
            for (int i = 0; i < M; i++) top[i] = top[i] > a2[k][i] ? top[i] : a2[k][i];
        for (int i = 0; i < M; i++) total[i] = 0;
        for (int k = 0; k < N2; k++)
            for (int i = 0; i < M; i++) a2[k][i] = exponential(a2[k][i] - top[i]);
        for (int k = 0; k < N2; k++)
            for (int i = 0; i < M; i++) total[i] += a2[k][i];
        /* BP1 times eta / m, then BP2 */
        for (int k = 0; k < N2; k++)
            for (int i = 0; i < M; i++) d2[k][i] = s * (a2[k][i] / total[i] - y[i][k]);
        for (int j = 0; j < N1; j++) {
            float e[M];
            for (int i = 0; i < M; i++) e[i] = 0;
            for (int k = 0; k < N2; k++)
                for (int i = 0; i < M; i++) e[i] += W2[k * N1 + j] * d2[k][i];
            for (int i = 0; i < M; i++) d1[j][i] = e[i] * a1[j][i] * (1.0f - a1[j][i]);
        }
        /* BP3, BP4 and the step */
        for (int k = 0; k < N2; k++) {
            for (int j = 0; j < N1; j++) {
                float g = 0;
                for (int i = 0; i < M; i++) g += d2[k][i] * a1[j][i];
                W2[k * N1 + j] -= g;
            }
            for (int i = 0; i < M; i++) b2[k] -= d2[k][i];
        }
        for (int j = 0; j < N1; j += 2) {
            V *w0 = (V *)(W1 + (size_t)j * N0), *w1 = w0 + WIDE;
            V u[M], v[M];
            for (int i = 0; i < M; i++) {
                u[i] = (V){0} + d1[j][i];
                v[i] = (V){0} + d1[j + 1][i];
                b1[j] -= d1[j][i];
                b1[j + 1] -= d1[j + 1][i];
            }
            for (int c = 0; c < WIDE; c++) {
                V p = w0[c], q = w1[c];
#pragma GCC unroll 16
                for (int i = 0; i < M; i++) {
                    p -= u[i] * x[i][c];
                    q -= v[i] * x[i][c];
                }
                w0[c] = p;
                w1[c] = q;
            }
        }
    }
}
